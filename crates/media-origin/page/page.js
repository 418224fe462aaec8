"use strict";
const width = 320;
document.getElementById("width").textContent = String(width);
const source = document.getElementById("source").src;
document.getElementById("rendition").src = `/cdn-cgi/media/mode=video,width=${width}/${source}`;
