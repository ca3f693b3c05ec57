//! How a line of the worker's log is written: Python's format for log records.

use super::worker::Level;
use jiff::Zoned;

/// The longest width of a field.
const MAX_WIDTH: usize = 100;

/// A format such as `%(asctime)s %(levelname)8s - %(message)s`, and one for the time, such as
/// `%Y-%m-%dT%H:%M:%S`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineFormat {
    parts: Vec<Part>,
    time: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Field { name: Name, width: usize, is_left: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Time,
    Level,
    Message,
    Logger,
    Process,
}

impl Default for LineFormat {
    fn default() -> Self {
        let field = |name, width| Part::Field { name, width, is_left: false };
        let text = |text: &str| Part::Text(text.to_owned());
        let parts = vec![
            field(Name::Time, 0),
            text(" "),
            field(Name::Level, 8),
            text(" - "),
            field(Name::Message, 0),
        ];
        Self { parts, time: "%Y-%m-%dT%H:%M:%S".to_owned() }
    }
}

impl LineFormat {
    /// Reads `log_fmt` and `log_datefmt`.
    ///
    /// # Errors
    /// A field or a directive that is not supported, in words for the administrator.
    pub fn parse(format: &str, time: &str) -> Result<Self, String> {
        let parts = parts(format).map_err(|reason| format!("log_fmt: {reason}"))?;
        jiff::fmt::strtime::format(time, &Zoned::default())
            .map_err(|error| format!("log_datefmt: {error}"))?;
        Ok(Self { parts, time: time.to_owned() })
    }

    /// One line, without its end.
    #[must_use]
    pub fn line(&self, now: &Zoned, level: Level, message: &str) -> String {
        let mut line = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => line.push_str(text),
                Part::Field { name, width, is_left } => {
                    let value = match name {
                        // It was tried when it was read.
                        Name::Time => jiff::fmt::strtime::format(&self.time, now).unwrap_or_default(),
                        Name::Level => level.as_str().to_owned(),
                        Name::Message => message.to_owned(),
                        Name::Logger => "catena.worker".to_owned(),
                        Name::Process => std::process::id().to_string(),
                    };
                    let width = *width;
                    line.push_str(&if *is_left {
                        format!("{value:<width$}")
                    } else {
                        format!("{value:>width$}")
                    });
                }
            }
        }
        line
    }
}

fn parts(format: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = format;
    while let Some((text, after)) = rest.split_once('%') {
        if !text.is_empty() {
            parts.push(Part::Text(text.to_owned()));
        }
        if let Some(after) = after.strip_prefix('%') {
            parts.push(Part::Text("%".to_owned()));
            rest = after;
            continue;
        }
        let (name, after) = after
            .strip_prefix('(')
            .and_then(|after| after.split_once(')'))
            .ok_or("a % must be followed by (name) or another %")?;
        let digits_end =
            after.find(|letter: char| letter != '-' && !letter.is_ascii_digit()).unwrap_or(after.len());
        let (width, after) = after.split_at_checked(digits_end).unwrap_or_default();
        rest = after.strip_prefix(['s', 'd']).ok_or_else(|| format!("%({name}) must end in s"))?;
        let (is_left, digits) = width.strip_prefix('-').map_or((false, width), |digits| (true, digits));
        let width = if digits.is_empty() { Some(0) } else { digits.parse().ok() };
        let width = width.filter(|width| *width <= MAX_WIDTH).ok_or("a width is too large")?;
        parts.push(Part::Field { name: Name::parse(name)?, width, is_left });
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Ok(parts)
}

impl Name {
    fn parse(name: &str) -> Result<Self, String> {
        Ok(match name {
            "asctime" => Self::Time,
            "levelname" => Self::Level,
            "message" => Self::Message,
            "name" => Self::Logger,
            "process" => Self::Process,
            other => {
                let other: String = other.chars().take(50).collect();
                return Err(format!(
                    "%({other}) is not supported, but asctime, levelname, message, name and process"
                ));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Zoned {
        "2026-11-28T00:17:35.9+00:00[UTC]".parse().unwrap()
    }

    #[test]
    fn the_default_is_scriptworkers_format() {
        let parsed =
            LineFormat::parse("%(asctime)s %(levelname)8s - %(message)s", "%Y-%m-%dT%H:%M:%S").unwrap();
        assert_eq!(parsed, LineFormat::default());
        let line = parsed.line(&now(), Level::Info, "Worker FQDN: x");
        assert_eq!(line, "2026-11-28T00:17:35     INFO - Worker FQDN: x");
    }

    #[test]
    fn fields_have_widths_and_percent_signs_stand_for_themselves() {
        let parsed = LineFormat::parse("%% %(levelname)-9s|%(name)s %(message)s!", "%H").unwrap();
        assert_eq!(parsed.line(&now(), Level::Warning, "m"), "% WARNING  |catena.worker m!");
    }

    #[test]
    fn what_is_not_supported_is_named() {
        for (format, time, part) in [
            ("%(threadName)s", "%H", "threadName"),
            ("%s", "%H", "log_fmt"),
            ("%(message)", "%H", "must end in s"),
            ("%(message)999s", "%H", "width"),
            ("%(message)s", "%J", "log_datefmt"),
        ] {
            let told = LineFormat::parse(format, time).unwrap_err();
            assert!(told.contains(part), "{format} {time}: {told}");
        }
    }
}
