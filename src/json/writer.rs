//! A JSON text, written from its beginning to its end.

use std::fmt::Write;

/// A JSON text that is being written. Commas come by themselves.
#[derive(Debug, Default)]
pub struct Writer {
    text: String,
}

impl Writer {
    /// What was written.
    pub fn into_text(self) -> String {
        self.text
    }

    /// `null`, `true` or `false`.
    pub fn word(&mut self, word: &'static str) {
        self.separate();
        self.text.push_str(word);
    }

    /// A value that is written already.
    pub fn document(&mut self, text: &str) {
        self.separate();
        self.text.push_str(text);
    }

    /// A number.
    pub fn number(&mut self, number: u64) {
        self.separate();
        // Writing to a String cannot fail.
        let _ = write!(self.text, "{number}");
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        self.separate();
        self.text.push('"');
        let mut rest = text;
        while let Some(at) = rest.find(|it: char| matches!(it, '"' | '\\') || it < ' ') {
            let (plain, escaped) = rest.split_at(at);
            self.text.push_str(plain);
            let mut chars = escaped.chars();
            self.escape(chars.next().unwrap_or_default());
            rest = chars.as_str();
        }
        self.text.push_str(rest);
        self.text.push('"');
    }

    fn escape(&mut self, it: char) {
        let short = match it {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            _ => {
                // Writing to a String cannot fail.
                let _ = write!(self.text, "\\u{:04x}", u32::from(it));
                return;
            }
        };
        self.text.push_str(short);
    }

    /// The name of the member that is written next.
    pub fn name(&mut self, name: &str) {
        self.text(name);
        self.text.push(':');
    }

    /// Begins an object or a list: `{` or `[`.
    pub fn open(&mut self, bracket: char) {
        self.separate();
        self.text.push(bracket);
    }

    /// Ends it: `}` or `]`.
    pub fn close(&mut self, bracket: char) {
        self.text.push(bracket);
    }

    /// Writes the comma before what follows something, and not a name or the beginning.
    fn separate(&mut self) {
        if !matches!(self.text.as_bytes().last(), None | Some(b'{' | b'[' | b':')) {
            self.text.push(',');
        }
    }
}
