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
        let mut plain = 0;
        for (at, byte) in text.bytes().enumerate() {
            if matches!(byte, b'"' | b'\\' | 0..b' ') {
                self.text.push_str(text.get(plain..at).unwrap_or_default());
                self.escape(byte);
                plain = at + 1;
            }
        }
        self.text.push_str(text.get(plain..).unwrap_or_default());
        self.text.push('"');
    }

    fn escape(&mut self, byte: u8) {
        let short = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            0x8 => "\\b",
            0xc => "\\f",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            _ => {
                // Writing to a String cannot fail.
                let _ = write!(self.text, "\\u{byte:04x}");
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

    /// The same, of a name in which there is nothing to escape.
    pub fn plain_name(&mut self, name: &'static str) {
        self.separate();
        self.text.push('"');
        self.text.push_str(name);
        self.text.push_str("\":");
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
