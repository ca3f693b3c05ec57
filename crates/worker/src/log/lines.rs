//! Bytes of a pipe as lines of text.

/// A line is kept whole up to so many bytes. A longer one comes in pieces, so that memory has a bound.
const MAX_LINE: usize = 1 << 20;

/// Collects bytes until there is a line. Bytes that are not UTF-8 become U+FFFD.
#[derive(Debug, Default)]
pub struct Lines {
    held: Vec<u8>,
    /// Bytes of `held` that have no line end in them.
    searched: usize,
}

impl Lines {
    /// Takes over bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// The next line without its end, or the next piece of one that is too long.
    pub fn next_line(&mut self) -> Option<String> {
        let unsearched = self.held.get(self.searched..).unwrap_or_default();
        if let Some(found) = unsearched.iter().position(|byte| *byte == b'\n') {
            let end = self.searched.saturating_add(found);
            let line = text(self.held.get(..end).unwrap_or_default());
            self.take(end.saturating_add(1));
            return Some(line);
        }
        self.searched = self.held.len();
        if self.held.len() < MAX_LINE {
            return None;
        }
        let end = whole_characters(&self.held);
        let piece = text(self.held.get(..end).unwrap_or_default());
        self.take(end);
        Some(piece)
    }

    /// What is left at the end: a line that has no end.
    pub fn rest(&mut self) -> Option<String> {
        let rest = text(&self.held);
        let is_empty = self.held.is_empty();
        self.take(self.held.len());
        (!is_empty).then_some(rest)
    }

    fn take(&mut self, count: usize) {
        self.held.drain(..count.min(self.held.len()));
        self.searched = 0;
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// How many bytes can be taken without cutting a character in two.
fn whole_characters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        // Only what may still become a character is left for the next piece.
        Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => error.valid_up_to(),
        _ => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pieces: &[&[u8]]) -> Vec<String> {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for piece in pieces {
            lines.push(piece);
            found.extend(std::iter::from_fn(|| lines.next_line()));
        }
        found.extend(lines.rest());
        found
    }

    #[test]
    fn lines_are_whole_however_they_arrive() {
        assert_eq!(all(&[b"a\nb", b"c\n", b"\nd"]), ["a", "bc", "", "d"]);
        assert_eq!(all(&[]), [""; 0]);
        let long = vec![b'x'; 300_000];
        assert_eq!(all(&[&long, b"\n"]), [String::from_utf8(long.clone()).unwrap()]);
    }

    #[test]
    fn b051_bytes_that_are_no_text_are_replaced() {
        assert_eq!(all(&[b"caf\xe9\n", b"caf\xc3", b"\xa9\n"]), ["caf\u{fffd}", "café"]);
    }

    #[test]
    fn a_line_without_end_takes_no_memory_without_bound_and_no_character_is_cut() {
        let mut lines = Lines::default();
        let mut pieces = Vec::new();
        for _ in 0..30 {
            lines.push("é".repeat(50_000).as_bytes());
            lines.push(b"\xc3");
            while let Some(piece) = lines.next_line() {
                assert!(!piece.contains('\u{fffd}'));
                pieces.push(piece.len());
            }
            assert!(lines.held.len() <= MAX_LINE + 100_001);
            lines.push(b"\xa9");
        }
        assert!(pieces.iter().all(|length| *length >= MAX_LINE - 4), "{pieces:?}");
        assert!(!pieces.is_empty());
    }
}
