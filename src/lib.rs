//! video-resizer.
