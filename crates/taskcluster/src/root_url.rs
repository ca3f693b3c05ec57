//! The root URL of a deployment.

use url::Url;

/// The root URL of a Taskcluster deployment: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootUrl(Url);

/// The text is not a Taskcluster root URL: `https://host`, optionally with a port, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a root URL (https://host, without a path, query or user): {0:?}")]
pub struct RootUrlError(String);

impl RootUrl {
    /// Parses a root URL. A trailing slash is dropped.
    ///
    /// # Errors
    /// Anything except scheme (http or https), host and port.
    pub fn parse(text: &str) -> Result<Self, RootUrlError> {
        let wrong = || RootUrlError(text.chars().take(200).collect());
        let url = Url::parse(text).map_err(|_| wrong())?;
        let bare = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if bare { Ok(Self(url)) } else { Err(wrong()) }
    }

    /// As text, without a trailing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// Whether a URL belongs to this deployment: same scheme, host and port.
    #[must_use]
    pub fn holds(&self, url: &Url) -> bool {
        catena_http::same_origin(&self.0, url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_urls_are_bare() {
        assert_eq!(RootUrl::parse("http://127.0.0.1:8600/").unwrap().as_str(), "http://127.0.0.1:8600");
        for wrong in [
            "",
            "tc.example",
            "ftp://tc.example",
            "https://u@tc.example",
            "https://tc.example/x",
            "https://tc.example?x",
            "file:///x",
        ] {
            assert!(RootUrl::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn another_scheme_host_or_port_is_another_deployment() {
        let root = RootUrl::parse("https://tc.example").unwrap();
        let holds = |text: &str| root.holds(&Url::parse(text).unwrap());
        assert!(holds("https://tc.example/api/queue/v1/ping"));
        assert!(holds("https://tc.example:443/"));
        for other in ["http://tc.example/", "https://tc.example:8443/", "https://tc.example.evil/"] {
            assert!(!holds(other), "{other}");
        }
    }
}
