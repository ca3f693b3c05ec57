//! Python's `fnmatch`, which `upstreamArtifacts` patterns are written for.

/// The longest pattern that is parsed, and the longest name that is matched, in bytes. No artifact has
/// a longer name.
pub const LONGEST: usize = 1024;

/// A pattern as Python's `fnmatch.fnmatchcase` reads it: `*` and `?` also match `/`, `[seq]` and `[!seq]`
/// are sets, there is no escape character, and the whole name must match.
///
/// All ways to match are followed at once, one bit for each, so that the cost of a name is at most its
/// length times the number of words for those bits, which is at most 17.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// How many characters a name without stars has.
    length: usize,
    /// The tokens that match characters from this one up to the next listed one.
    fitting: Vec<(u32, Bits)>,
    /// The tokens that a star precedes.
    stars: Bits,
}

impl Pattern {
    /// Parses a pattern; `None` if it is longer than [`LONGEST`].
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let tokens = tokens(text);
        let mut length = 0_usize;
        let mut stars = Bits::new();
        // Where a token begins to match, and where it no longer does.
        let mut changes = vec![(0, None)];
        for token in tokens {
            let Token::OneOf(ranges) = token else {
                stars.set(length, true);
                continue;
            };
            for (low, high) in ranges {
                changes.push((low, Some((length, true))));
                changes.push((high.saturating_add(1), Some((length, false))));
            }
            length = length.saturating_add(1);
        }
        changes.sort_unstable();
        let mut fitting: Vec<(u32, Bits)> = Vec::new();
        let mut now = Bits::new();
        for same in changes.chunk_by(|left, right| left.0 == right.0) {
            for (token, fits) in same.iter().filter_map(|(_, change)| *change) {
                now.set(token, fits);
            }
            fitting.extend(same.first().map(|(from, _)| (*from, now.clone())));
        }
        let words = length.checked_div(Bits::WORD).unwrap_or_default().saturating_add(1);
        fitting.iter_mut().map(|(_, bits)| bits).chain([&mut stars]).for_each(|bits| bits.0.resize(words, 0));
        Some(Self { length, fitting, stars })
    }

    /// Whether a name matches. One that is longer than [`LONGEST`] never does.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        if name.len() > LONGEST {
            return false;
        }
        // Bit n is whether the first n tokens match what was read.
        let mut matched = Bits(vec![0; self.stars.0.len()]);
        matched.set(0, true);
        name.chars().all(|character| matched.step(self.fitting(character), &self.stars))
            && matched.is_set(self.length)
    }

    /// The tokens that match a character.
    fn fitting(&self, character: char) -> &Bits {
        let after = self.fitting.partition_point(|(from, _)| *from <= u32::from(character));
        self.fitting.get(after.saturating_sub(1)).map_or(&self.stars, |(_, bits)| bits)
    }
}

/// As many bits as a pattern has tokens, and one more.
#[derive(Clone, Debug)]
struct Bits(Vec<u64>);

impl Bits {
    const WORD: usize = 64;

    fn new() -> Self {
        Self(Vec::new())
    }

    fn place(bit: usize) -> (usize, u64) {
        let shift = u32::try_from(bit.checked_rem(Self::WORD).unwrap_or_default()).unwrap_or_default();
        (bit.checked_div(Self::WORD).unwrap_or_default(), 1_u64.checked_shl(shift).unwrap_or_default())
    }

    fn set(&mut self, bit: usize, is: bool) {
        let (word, mask) = Self::place(bit);
        if self.0.len() <= word {
            self.0.resize(word.saturating_add(1), 0);
        }
        if let Some(word) = self.0.get_mut(word) {
            if is { *word |= mask } else { *word &= !mask }
        }
    }

    fn is_set(&self, bit: usize) -> bool {
        let (word, mask) = Self::place(bit);
        self.0.get(word).is_some_and(|word| word & mask != 0)
    }

    /// Advances by one character: past each token that matches it, and no further where a star consumes
    /// it. Returns whether anything still matches.
    fn step(&mut self, fitting: &Self, stars: &Self) -> bool {
        let (mut carried, mut any) = (0, 0);
        for ((word, fitting), stars) in self.0.iter_mut().zip(&fitting.0).zip(&stars.0) {
            let moved = *word & fitting;
            *word = (moved << 1) | carried | (*word & stars);
            carried = moved >> 63;
            any |= *word;
        }
        any != 0
    }
}

#[derive(Debug)]
enum Token {
    Star,
    /// A character within any of these ranges, which are in order, apart, and may be empty.
    OneOf(Vec<(u32, u32)>),
}

const LAST: u32 = char::MAX as u32;

impl Token {
    fn literal(character: char) -> Self {
        Self::OneOf(vec![(u32::from(character), u32::from(character))])
    }

    /// A character in a set, or not in it.
    fn set(negated: bool, mut ranges: Vec<(u32, u32)>) -> Self {
        ranges.sort_unstable();
        let mut apart: Vec<(u32, u32)> = Vec::new();
        for (low, high) in ranges {
            match apart.last_mut() {
                Some((_, end)) if low <= end.saturating_add(1) => *end = high.max(*end),
                _ => apart.push((low, high)),
            }
        }
        if !negated {
            return Self::OneOf(apart);
        }
        let mut others = Vec::new();
        let mut from = 0;
        for (low, high) in apart {
            others.extend(low.checked_sub(1).filter(|end| from <= *end).map(|end| (from, end)));
            from = high.saturating_add(1);
        }
        others.extend((from <= LAST).then_some((from, LAST)));
        Self::OneOf(others)
    }
}

fn tokens(pattern: &str) -> Vec<Token> {
    let mut rest: &[char] = &pattern.chars().collect::<Vec<_>>();
    let mut tokens = Vec::new();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            '*' => tokens.push(Token::Star),
            '?' => tokens.push(Token::OneOf(vec![(0, LAST)])),
            '[' => match set(after) {
                Some((set, after)) => {
                    tokens.push(set);
                    rest = after;
                }
                // Without a closing bracket, a bracket is an ordinary character.
                None => tokens.push(Token::literal('[')),
            },
            other => tokens.push(Token::literal(*other)),
        }
    }
    tokens
}

/// Parses the set after a `[`, and returns the text after its `]`. A `]` that comes first, or first
/// after `!`, belongs to the set.
fn set(rest: &[char]) -> Option<(Token, &[char])> {
    let negated = rest.first() == Some(&'!');
    let body = rest.get(usize::from(negated)..)?;
    let search_from = usize::from(body.first() == Some(&']'));
    let length =
        body.iter().skip(search_from).position(|character| *character == ']')?.checked_add(search_from)?;
    let (members, after) = body.split_at_checked(length)?;
    Some((Token::set(negated, ranges(members)), after.get(1..)?))
}

/// `a-z` is a range, and empty when its ends are reversed; a `-` at either end is itself.
fn ranges(mut members: &[char]) -> Vec<(u32, u32)> {
    let mut ranges = Vec::new();
    while let Some((first, after)) = members.split_first() {
        let (last, after) = match after {
            ['-', last, after @ ..] => (last, after),
            _ => (first, after),
        };
        if first <= last {
            ranges.push((u32::from(*first), u32::from(*last)));
        }
        members = after;
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(pattern: &str, name: &str) -> bool {
        Pattern::new(pattern).is_some_and(|pattern| pattern.matches(name))
    }

    #[test]
    fn patterns_match_as_pythons() {
        for (pattern, name, expected) in [
            ("public/build/*", "public/build/target.tar.xz", true),
            ("public/*", "public/build/a/b", true),
            ("*.zip", "public/a.zip", true),
            ("*.zip", "public/a.zip.asc", false),
            ("public/?.txt", "public/a.txt", true),
            ("public/?.txt", "public//.txt", true),
            ("public/[ab].txt", "public/a.txt", true),
            ("public/[!ab].txt", "public/a.txt", false),
            ("public/[!ab].txt", "public/c.txt", true),
            ("[a-c]x", "bx", true),
            ("[a-c]x", "dx", false),
            ("[c-a]x", "bx", false),
            ("[!c-a]x", "bx", true),
            ("[]a]x", "]x", true),
            ("[!]a]x", "]x", false),
            ("[a-]x", "-x", true),
            ("[-a]x", "-x", true),
            ("[a-cb-e]x", "ex", true),
            ("[!a-cd-e]x", "fx", true),
            ("[!a-cd-e]x", "dx", false),
            ("[abc", "[abc", true),
            ("[abc", "a", false),
            ("a.b", "axb", false),
            ("a\\*b", "a\\xb", true),
            ("**a**", "bab", true),
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("?", "", false),
            ("é?", "éß", true),
            ("[!é]", "\u{10ffff}", true),
            ("[\0-\u{10ffff}]", "\u{10ffff}", true),
            ("[!\0-\u{10ffff}]", "\u{10ffff}", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn patterns_and_names_have_a_longest() {
        let (longest, longer) = ("a".repeat(LONGEST), "a".repeat(LONGEST + 1));
        assert!(matches(&longest, &longest) && matches("*", &longest) && matches(&"*".repeat(LONGEST), ""));
        assert!(!matches("*", &longer) && Pattern::new(&longer).is_none());
        // Bytes are what is counted.
        assert!(Pattern::new(&"é".repeat(LONGEST / 2)).is_some());
        assert!(Pattern::new(&"é".repeat(LONGEST / 2 + 1)).is_none());
    }

    #[test]
    fn words_of_bits_do_not_show() {
        for length in [62, 63, 64, 65, 127, 128, 129, 1000] {
            let name: String = "abc".chars().cycle().take(length).collect();
            assert!(matches(&name, &name) && matches(&format!("*{name}*"), &name), "{length}");
            assert!(!matches(&format!("{name}a"), &name) && !matches(&name, &format!("{name}a")), "{length}");
        }
    }

    #[test]
    fn many_stars_cost_what_one_does() {
        let begun = std::time::Instant::now();
        let pattern = Pattern::new(&"*a".repeat(500)).unwrap();
        for _ in 0..100 {
            assert!(!pattern.matches(&"a".repeat(499)));
            assert!(!pattern.matches(&"b".repeat(1000)));
            assert!(pattern.matches(&"ba".repeat(500)));
        }
        let sets = Pattern::new(&"*[a-y]".repeat(LONGEST / 6)).unwrap();
        assert!(!sets.matches(&"z".repeat(LONGEST)));
        assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
    }

    /// The same, one way after the other.
    fn slowly(tokens: &[Token], name: &[char]) -> bool {
        match (tokens.split_first(), name.split_first()) {
            (None, None) => true,
            (Some((Token::Star, rest)), None) => slowly(rest, name),
            (Some((Token::Star, rest)), Some((_, left))) => slowly(rest, name) || slowly(tokens, left),
            (Some((Token::OneOf(ranges), rest)), Some((first, left))) => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&u32::from(*first)))
                    && slowly(rest, left)
            }
            _ => false,
        }
    }

    /// Members of a set, one after the other.
    fn is_member(mut members: &[char], character: char) -> bool {
        while let Some((first, after)) = members.split_first() {
            let (last, after) =
                if let ['-', last, after @ ..] = after { (last, after) } else { (first, after) };
            if (*first..=*last).contains(&character) {
                return true;
            }
            members = after;
        }
        false
    }

    proptest! {
        #[test]
        fn parallel_matching_equals_sequential_matching(
            pattern in r"([ab\[\]!*?é-]|\[!?[a-c-]{1,3}\]){0,14}",
            name in "[abc\\]\\[!é-]{0,12}",
            before in 0..130_usize,
        ) {
            let characters: Vec<char> = name.chars().collect();
            let expected = slowly(&tokens(&pattern), &characters);
            prop_assert_eq!(matches(&pattern, &name), expected);
            let more = "x".repeat(before);
            prop_assert_eq!(matches(&format!("{more}{pattern}"), &format!("{more}{name}")), expected);
        }

        #[test]
        fn a_set_is_its_members(
            negated: bool,
            members in "[a-hé\u{10ffff}-][a-h!é\u{10ffff}-]{0,8}",
            character in "[a-ié\u{10ffff}!-]",
        ) {
            let pattern = format!("[{}{members}]", if negated { "!" } else { "" });
            let (members, one): (Vec<char>, _) = (members.chars().collect(), character.chars().next().unwrap());
            prop_assert_eq!(matches(&pattern, &character), negated != is_member(&members, one), "{}", pattern);
        }
    }
}
