//! The page people open first; its files are in the binary.

use axum::extract::Path;
use axum::http::{HeaderName, StatusCode, header};

type File = ([(HeaderName, &'static str); 2], &'static str);

/// `/`
pub(crate) async fn index() -> File {
    file("text/html; charset=utf-8", include_str!("../page/index.html"))
}

/// `/page/<name>`
pub(crate) async fn named(Path(name): Path<String>) -> Result<File, StatusCode> {
    match name.as_str() {
        "index.html" => Ok(index().await),
        "page.js" => Ok(file("text/javascript; charset=utf-8", include_str!("../page/page.js"))),
        "page.css" => Ok(file("text/css; charset=utf-8", include_str!("../page/page.css"))),
        _ => Err(StatusCode::NOT_FOUND),
    }
}

fn file(content_type: &'static str, text: &'static str) -> File {
    // A new build is a new page; nobody should look at the old one.
    ([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-cache")], text)
}
