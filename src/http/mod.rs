//! Exact HTTP: ranges, conditionals, problem documents, cross-origin headers.
