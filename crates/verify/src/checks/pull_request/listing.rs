//! GitHub's piece of a page that lists the branches and tags a commit is on.
//!
//! It is HTML made for people, and what stands in it decides. So only what is plainly such a list is
//! read: elements that are closed where they must be, quoted attributes, known character references.
//!
//! ```html
//! <svg …><path …/></svg>
//! <ul class="branches-list">
//!   <li class="branch"><a href="/owner/name">main</a></li>
//!   <li class="pull-request">(<a href="/owner/name/pull/7">#7</a>)</li>
//! </ul>
//! <ul class="branches-tag-list"><li><a href="/owner/name/releases/tag/v1">v1</a></li></ul>
//! ```

/// The branches that a commit is on, by GitHub's page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listing(Vec<String>);

/// How deep elements may lie in each other.
const DEPTH: usize = 64;
/// Elements that have no end.
const VOID: [&str; 7] = ["br", "hr", "img", "input", "link", "meta", "wbr"];
/// Elements whose content is read otherwise than as elements. None of them belongs into a list.
const RAW: [&str; 8] =
    ["iframe", "noscript", "plaintext", "script", "style", "template", "textarea", "title"];
/// Begins the class by which GitHub's pages warn of a commit that is on no branch of a repository.
const SPOOFED: &str = "js-spoofed-commit-warning";

impl Listing {
    /// Reads a page; one of nothing but whitespace lists nothing.
    pub(super) fn parse(page: &str) -> Result<Self, &'static str> {
        let mut reader = Reader::default();
        let mut rest = page;
        while !rest.is_empty() {
            let (token, after) = token(rest)?;
            reader.take(token)?;
            rest = after;
        }
        reader.finish(page.trim().is_empty())
    }

    pub(super) fn branches(&self) -> &[String] {
        &self.0
    }
}

/// An element that is open.
#[derive(Debug)]
struct Element<'a> {
    name: &'a str,
    role: Role,
}

#[derive(Debug, PartialEq)]
enum Role {
    /// The list of branches.
    List,
    /// An entry of it, with the name of its branch once that was read.
    Entry(Option<String>),
    /// The link of an entry, whose text is the name.
    Name(String),
    /// A further link of an entry.
    Link,
    Other,
}

#[derive(Debug, Default)]
struct Reader<'a> {
    open: Vec<Element<'a>>,
    branches: Vec<String>,
    has_list: bool,
    is_spoofed: bool,
}

impl<'a> Reader<'a> {
    fn take(&mut self, token: Token<'a>) -> Result<(), &'static str> {
        match token {
            Token::Text(text) => {
                if let Some(name) = self.open.iter_mut().find_map(|element| match &mut element.role {
                    Role::Name(name) => Some(name),
                    _ => None,
                }) {
                    name.push_str(&unescaped(text)?);
                }
                Ok(())
            }
            Token::Open { name, class, is_closed } => self.open(name, class, is_closed),
            Token::Close(name) => self.close(name),
            Token::Comment => Ok(()),
        }
    }

    fn open(&mut self, name: &'a str, class: &str, is_closed: bool) -> Result<(), &'static str> {
        if RAW.contains(&name) {
            return Err("it has an element that is not allowed in a list");
        }
        let has = |wanted: &str| class.split_ascii_whitespace().any(|class| class == wanted);
        self.is_spoofed |= class.split_ascii_whitespace().any(|class| class.starts_with(SPOOFED));
        let in_entry = self.open.iter().rposition(|element| matches!(element.role, Role::Entry(_)));
        let in_list = self.open.last().is_some_and(|element| element.role == Role::List);
        let role = match name {
            "ul" if has("branches-list") => {
                if self.open.iter().any(|element| element.role == Role::List) {
                    return Err("it has a list of branches in another");
                }
                self.has_list = true;
                Role::List
            }
            "ul" => {
                self.has_list |= has("branches-tag-list");
                Role::Other
            }
            "li" if in_list && has("branch") => Role::Entry(None),
            "a" => self.link(in_entry)?,
            _ => Role::Other,
        };
        match (VOID.contains(&name), is_closed) {
            (true, _) => return Ok(()),
            // Only in drawings does a slash end an element.
            (false, true) if matches!(name, "a" | "li" | "ul") => {
                return Err("it has an element without an end");
            }
            (false, true) => return Ok(()),
            (false, false) => {}
        }
        if self.open.len() >= DEPTH {
            return Err("its elements are nested too deeply");
        }
        self.open.push(Element { name, role });
        Ok(())
    }

    /// The first link of an entry is its branch's.
    fn link(&self, in_entry: Option<usize>) -> Result<Role, &'static str> {
        let Some(entry) = in_entry else { return Ok(Role::Other) };
        let within = self.open.get(entry..).unwrap_or_default();
        if within.iter().any(|element| matches!(element.role, Role::Name(_) | Role::Link)) {
            return Err("it has a link in another");
        }
        let is_first = within.first().is_some_and(|element| element.role == Role::Entry(None));
        Ok(if is_first { Role::Name(String::new()) } else { Role::Link })
    }

    fn close(&mut self, name: &str) -> Result<(), &'static str> {
        match self.open.pop() {
            Some(element) if element.name == name => match element.role {
                Role::Entry(Some(branch)) => self.branches.push(branch),
                Role::Entry(None) => return Err("it has an entry without a name"),
                Role::Name(text) => self.name(text.trim_ascii())?,
                Role::List | Role::Link | Role::Other => {}
            },
            _ => return Err("it ends an element that is not open"),
        }
        Ok(())
    }

    fn name(&mut self, text: &str) -> Result<(), &'static str> {
        let entry = self.open.iter_mut().rev().find_map(|element| match &mut element.role {
            Role::Entry(name) => Some(name),
            _ => None,
        });
        match entry {
            Some(name) if !text.is_empty() => *name = Some(text.to_owned()),
            _ => return Err("it has an entry without a name"),
        }
        Ok(())
    }

    fn finish(self, is_blank: bool) -> Result<Listing, &'static str> {
        if !self.open.is_empty() {
            return Err("it has an element without an end");
        }
        if self.is_spoofed && !self.branches.is_empty() {
            return Err("it lists branches, and warns that there are none");
        }
        if self.has_list || self.is_spoofed || is_blank {
            Ok(Listing(self.branches))
        } else {
            Err("it has no list of branches")
        }
    }
}

#[derive(Debug)]
enum Token<'a> {
    Text(&'a str),
    Open { name: &'a str, class: &'a str, is_closed: bool },
    Close(&'a str),
    Comment,
}

/// What stands first, and what comes after it.
fn token(text: &str) -> Result<(Token<'_>, &str), &'static str> {
    const OPEN: &str = "it has a truncated element";
    if let Some(rest) = text.strip_prefix("<!--") {
        return rest.split_once("-->").map(|(_, after)| (Token::Comment, after)).ok_or(OPEN);
    }
    if let Some(rest) = text.strip_prefix("</") {
        let (name, after) = rest.split_once('>').ok_or(OPEN)?;
        return Ok((Token::Close(name.trim_ascii_end()), after));
    }
    let Some(rest) = text.strip_prefix('<') else {
        let (before, after) = text.split_at(text.find('<').unwrap_or(text.len()));
        return Ok((Token::Text(before), after));
    };
    let end = rest.find(|character: char| !(character.is_ascii_alphanumeric() || character == '-'));
    let (name, mut rest) = rest.split_at(end.ok_or(OPEN)?);
    if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Err("it has a bracket that begins no element");
    }
    let mut class = "";
    loop {
        rest = rest.trim_ascii_start();
        let ended = rest.strip_prefix('>').map(|after| (after, false));
        if let Some((after, is_closed)) = ended.or_else(|| rest.strip_prefix("/>").map(|after| (after, true)))
        {
            return Ok((Token::Open { name, class, is_closed }, after));
        }
        let (key, value, after) = attribute(rest)?;
        if key == "class" {
            class = value;
        }
        rest = after;
    }
}

/// The name and the value of an attribute, and what comes after it.
fn attribute(text: &str) -> Result<(&str, &str, &str), &'static str> {
    const MALFORMED: &str = "it has a malformed attribute";
    let end = text.find(|character: char| character.is_ascii_whitespace() || "=>/\"'<".contains(character));
    let (name, rest) = text.split_at(end.ok_or(MALFORMED)?);
    if name.is_empty() {
        return Err(MALFORMED);
    }
    let Some(value) = rest.trim_ascii_start().strip_prefix('=') else { return Ok((name, "", rest)) };
    let value = value.trim_ascii_start();
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\'')).ok_or(MALFORMED)?;
    let (value, after) =
        value.strip_prefix(quote).and_then(|value| value.split_once(quote)).ok_or(MALFORMED)?;
    Ok((name, value, after))
}

/// Text with its character references resolved.
fn unescaped(text: &str) -> Result<String, &'static str> {
    const UNKNOWN: &str = "it has a character reference that is not known";
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (reference, after) = part.split_once(';').ok_or(UNKNOWN)?;
        plain.push(match reference {
            "amp" => '&',
            "apos" => '\'',
            "gt" => '>',
            "lt" => '<',
            "quot" => '"',
            other => {
                let digits = other.strip_prefix('#').ok_or(UNKNOWN)?;
                let code = match digits.strip_prefix(['x', 'X']) {
                    Some(digits) => u32::from_str_radix(digits, 16),
                    None => digits.parse(),
                };
                code.ok().and_then(char::from_u32).ok_or(UNKNOWN)?
            }
        });
        plain.push_str(after);
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn branches(page: &str) -> Result<Vec<String>, &'static str> {
        Listing::parse(page).map(|listing| listing.0)
    }

    fn listed(names: &[&str]) -> Result<Vec<String>, &'static str> {
        Ok(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn lists_as_github_has_them_are_read() {
        let page = "\n\n\n    <svg class=\"octicon\" viewBox=\"0 0 10 16\" aria-hidden=\"true\"><path d=\"M10 5c0\"/></svg>
            <ul class=\"branches-list\">
                <li class=\"branch\"><a href=\"/o/r\">main</a></li>
                  <li class=\"pull-request\">(<a title=\"Merged Pull Request: <b> &amp; more\" href=\"/o/r/pull/7\">#7</a>)</li>
                <li class='branch last'>\n<a\n href='/o/r/tree/a'\n>\n <span>release/<wbr>v1</span>\n</a> (<a href=\"/o/r/pull/8\">#8</a>)</li>
            </ul>
            <!-- <li class=\"branch\"><a>evil</a></li> -->
            <ul class=\"branches-tag-list js-details-container\">
                <li><a href=\"/o/r/releases/tag/v1\">v1</a></li>
                <li class=\"abbrev-tags\"><button type=\"button\" hidden>&hellip;</button></li>
            </ul>\n";
        assert_eq!(branches(page), listed(&["main", "release/v1"]));
        assert_eq!(branches("<ul class=\"branches-list\"></ul>"), listed(&[]));
        assert_eq!(branches("<ul class=\"branches-tag-list\"><li><a>v1</a></li></ul>"), listed(&[]));
        assert_eq!(branches(" \r\n\t"), listed(&[]));
        assert_eq!(branches(""), listed(&[]));
        assert_eq!(branches("<div class=\"js-spoofed-commit-warning-trigger\"></div>\n"), listed(&[]));
    }

    #[test]
    fn a_name_is_text_whatever_stands_in_it() {
        let named = |name: &str| {
            branches(&format!("<ul class=\"branches-list\"><li class=\"branch\"><a>{name}</a></li></ul>"))
        };
        assert_eq!(named("a&lt;b&gt;&amp;&quot;&#39;&#x2F;&apos;"), listed(&["a<b>&\"'/'"]));
        assert_eq!(
            named("x&lt;/a&gt;&lt;/li&gt;&lt;li class=&quot;branch&quot;&gt;&lt;a&gt;main"),
            listed(&["x</a></li><li class=\"branch\"><a>main"])
        );
        for wrong in ["", "  ", "a & b", "a&b", "&nope;", "&#x110000;", "&#;", "&#xD800;", "<a>main</a>"] {
            assert!(named(wrong).is_err(), "{wrong}");
        }
        // As it would be if a name stood there as it is: nothing but the list itself is lost.
        assert!(named("x</a></li></ul><ul class=\"branches-list\"><li class=\"branch\"><a>main").is_ok());
    }

    #[test]
    fn entries_stand_in_the_list_itself() {
        for elsewhere in [
            "<li class=\"branch\"><a>main</a></li><ul class=\"branches-list\"></ul>",
            "<ul class=\"branches-list\"><li><ul><li class=\"branch\"><a>main</a></li></ul></li></ul>",
            "<ul class=\"branches-list\"><li class=\"branches\"><a>main</a></li></ul>",
            "<ul class=\"branches-list\"><li id=\"branch\"><a>main</a></li></ul>",
            "<ul class=\"branches-tag-list\"><li class=\"branch\"><a>main</a></li></ul>",
        ] {
            match branches(elsewhere) {
                Ok(found) => assert!(found.is_empty(), "{elsewhere}"),
                Err(why) => panic!("{elsewhere}: {why}"),
            }
        }
    }

    #[test]
    fn a_page_that_is_cut_off_lists_nothing() {
        let list = "<ul class=\"branches-list\"><li class='branch'><a href=\"/ü\">m&amp;n</a></li></ul>";
        for (before, after) in (1..list.len()).filter_map(|at| list.split_at_checked(at)) {
            assert!(branches(before).is_err(), "{before}");
            assert!(branches(after).is_err(), "{after}");
        }
        assert_eq!(branches(list), listed(&["m&n"]));
    }

    #[test]
    fn what_is_no_list_is_none() {
        let list = |inner: &str| format!("<ul class=\"branches-list\">{inner}</ul>");
        let deep = format!("{}{}", "<b>".repeat(65), "</b>".repeat(65));
        for wrong in [
            "yes",
            "main",
            "{\"branches\":[\"main\"]}",
            "<p>Please log in</p>",
            "<li class=\"branch\"><a>main</a></li>",
            "<ul class=\"branches-list\">",
            "<ul class=\"branches-list\"></li>",
            "<ul class=\"branches-list\"",
            "<ul class=branches-list></ul>",
            "<ul class=\"branches-list></ul>",
            "<ul class=\"branches-list\"/>",
            "<!-- <ul class=\"branches-list\"></ul>",
            "</ul><ul class=\"branches-list\"></ul>",
            "< ul></ul>",
            &list("<li class=\"branch\">main</li>"),
            &list("<li class=\"branch\"><a>main</li>"),
            &list("<li class=\"branch\"><a>main</a>"),
            &list("<li class=\"branch\"><a/>main</li>"),
            &list("<li class=\"branch\"><a>main<a>x</a></a></li>"),
            &list("<script>0</script>"),
            &list(&list("")),
            &list(&deep),
            &format!(
                "{}<i class=\"js-spoofed-commit-warning-trigger\"></i>",
                list("<li class=\"branch\"><a>main</a></li>")
            ),
        ] {
            assert!(branches(wrong).is_err(), "{wrong}");
        }
    }
}
