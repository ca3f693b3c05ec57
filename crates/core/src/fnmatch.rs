//! Python's `fnmatch`, which `upstreamArtifacts` patterns are written for.

/// Whether a name matches a pattern as Python's `fnmatch.fnmatchcase` says: `*` and `?` also match
/// `/`, `[seq]` and `[!seq]` are sets, there is no escape character, and the whole name must match.
/// Its cost is at most the product of the two lengths.
#[must_use]
pub fn matches(pattern: &str, name: &str) -> bool {
    let tokens = tokens(pattern);
    let name: Vec<char> = name.chars().collect();
    let (mut token, mut at) = (0_usize, 0_usize);
    // Where to go on when a later token does not fit: after the last star, one character on.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        match (tokens.get(token), name.get(at)) {
            (None, None) => return true,
            (Some(Token::Star), _) => {
                token = token.saturating_add(1);
                retry = Some((token, at));
                continue;
            }
            (Some(one), Some(character)) if one.fits(*character) => {
                token = token.saturating_add(1);
                at = at.saturating_add(1);
                continue;
            }
            _ => {}
        }
        match retry {
            Some((after_star, from)) if name.get(from).is_some() => {
                let next = from.saturating_add(1);
                retry = Some((after_star, next));
                (token, at) = (after_star, next);
            }
            _ => return false,
        }
    }
}

#[derive(Debug)]
enum Token {
    Star,
    Any,
    Literal(char),
    Set { negated: bool, ranges: Vec<(char, char)> },
}

impl Token {
    fn fits(&self, character: char) -> bool {
        match self {
            Self::Star => false,
            Self::Any => true,
            Self::Literal(literal) => *literal == character,
            Self::Set { negated, ranges } => {
                *negated != ranges.iter().any(|(low, high)| (*low..=*high).contains(&character))
            }
        }
    }
}

fn tokens(pattern: &str) -> Vec<Token> {
    let mut rest: &[char] = &pattern.chars().collect::<Vec<_>>();
    let mut tokens = Vec::new();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            '*' => tokens.push(Token::Star),
            '?' => tokens.push(Token::Any),
            '[' => match set(after) {
                Some((set, after)) => {
                    tokens.push(set);
                    rest = after;
                }
                // Without its end a bracket is a character like others.
                None => tokens.push(Token::Literal('[')),
            },
            other => tokens.push(Token::Literal(*other)),
        }
    }
    tokens
}

/// Reads the set after a `[`, and answers what follows its `]`. A `]` that comes first, or first
/// after `!`, belongs to the set.
fn set(rest: &[char]) -> Option<(Token, &[char])> {
    let negated = rest.first() == Some(&'!');
    let body = rest.get(usize::from(negated)..)?;
    let search_from = usize::from(body.first() == Some(&']'));
    let length =
        body.iter().skip(search_from).position(|character| *character == ']')?.checked_add(search_from)?;
    let (members, after) = body.split_at_checked(length)?;
    Some((Token::Set { negated, ranges: ranges(members) }, after.get(1..)?))
}

/// `a-z` is a range, and empty when its ends are reversed; a `-` at either end is itself.
fn ranges(mut members: &[char]) -> Vec<(char, char)> {
    let mut ranges = Vec::new();
    while let Some((first, after)) = members.split_first() {
        if let ['-', high, after @ ..] = after {
            ranges.push((*first, *high));
            members = after;
        } else {
            ranges.push((*first, *first));
            members = after;
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ("[abc", "[abc", true),
            ("[abc", "a", false),
            ("a.b", "axb", false),
            ("a\\*b", "a\\xb", true),
            ("**a**", "bab", true),
            ("", "", true),
            ("*", "", true),
            ("?", "", false),
            ("é?", "éß", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn many_stars_cost_no_more_than_the_product() {
        let pattern = "*a".repeat(500);
        assert!(!matches(&pattern, &"b".repeat(5_000)));
        assert!(matches(&pattern, &"ba".repeat(500)));
    }
}
