//! The products chains are built for: where they live, which pools they use, what only they may do.

use super::BuildError;

/// Where a product's sources live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vcs {
    /// Mercurial on hg.mozilla.org.
    Hg,
    /// git on GitHub.
    Git,
}

/// One product: the facts of the published defaults a chain needs.
#[derive(Debug, PartialEq, Eq)]
pub struct Product {
    /// As policies call it.
    pub name: &'static str,
    /// Prefix of the environment variables that name its sources.
    pub(super) prefix: &'static str,
    /// Its Taskcluster trust domain.
    pub(super) domain: &'static str,
    /// Its Mercurial repository's path, if it has one.
    pub(super) hg: Option<&'static str>,
    /// Its GitHub repository, `owner/name`, if it has one.
    pub(super) git: Option<&'static str>,
    /// A Mercurial repository that releases are promoted on.
    pub(super) hg_release: Option<&'static str>,
    /// The highest level it has pools for.
    pub(super) level: u8,
    /// What its pool names end in.
    pub(super) pool_suffix: &'static str,
    /// The kind of the target task, and a restricted scope it may hold on its main repository.
    pub(super) target: (&'static str, &'static str),
    /// A restricted scope for the release repository.
    pub(super) release_scope: &'static str,
    /// Whether the main git repository is on the trees the restricted scope is for.
    pub(super) git_restricted: bool,
}

const GIT: Product = Product {
    name: "",
    prefix: "",
    domain: "",
    hg: None,
    git: None,
    hg_release: None,
    level: 3,
    pool_suffix: "-gcp",
    target: ("signing", ""),
    release_scope: "",
    git_restricted: true,
};

/// All of them, by name.
static PRODUCTS: [Product; 11] = [
    Product {
        name: "adhoc",
        prefix: "ADHOC",
        domain: "adhoc",
        git: Some("mozilla-releng/adhoc-signing"),
        target: ("signing", "project:adhoc:signing:cert:release-signing"),
        ..GIT
    },
    Product {
        name: "app-services",
        prefix: "APPSERVICES",
        domain: "app-services",
        git: Some("mozilla/application-services"),
        target: ("signing", "project:mozilla:app-services:releng:signing:cert:release-signing"),
        ..GIT
    },
    Product {
        name: "enterprise",
        prefix: "GECKO",
        domain: "enterprise",
        git: Some("mozilla/enterprise-firefox"),
        pool_suffix: "",
        target: ("signing", "project:enterprise:releng:signing:cert:nightly-signing"),
        ..GIT
    },
    Product {
        name: "firefox",
        prefix: "GECKO",
        domain: "gecko",
        hg: Some("mozilla-central"),
        git: Some("mozilla-firefox/firefox"),
        hg_release: Some("releases/mozilla-beta"),
        target: ("signing", "project:releng:signing:cert:nightly-signing"),
        release_scope: "project:releng:signing:cert:release-signing",
        git_restricted: false,
        ..GIT
    },
    Product {
        name: "glean",
        prefix: "GLEAN",
        domain: "glean",
        git: Some("mozilla/glean"),
        target: ("beetmover", "project:mozilla:glean:releng:beetmover:bucket:maven-production"),
        ..GIT
    },
    Product {
        name: "mobile",
        prefix: "MOBILE",
        domain: "mobile",
        git: Some("mozilla-mobile/reference-browser"),
        target: ("signing", "project:mobile:reference-browser:releng:signing:cert:release-signing"),
        ..GIT
    },
    Product {
        name: "mozillavpn",
        prefix: "MOZILLAVPN",
        domain: "mozillavpn",
        git: Some("mozilla-mobile/mozilla-vpn-client"),
        target: ("signing", "project:mozillavpn:releng:signing:cert:release-signing"),
        ..GIT
    },
    Product {
        name: "scriptworker",
        prefix: "SCRIPTWORKER",
        domain: "scriptworker",
        git: Some("mozilla-releng/scriptworker-scripts"),
        target: ("scriptworker", "project:scriptworker:pypi:production"),
        ..GIT
    },
    Product {
        name: "thunderbird",
        prefix: "COMM",
        domain: "comm",
        hg: Some("comm-central"),
        hg_release: Some("releases/comm-beta"),
        target: ("signing", "project:comm:thunderbird:releng:signing:cert:nightly-signing"),
        release_scope: "project:comm:thunderbird:releng:signing:cert:release-signing",
        ..GIT
    },
    Product {
        name: "translations",
        prefix: "TRANSLATIONS",
        domain: "translations",
        git: Some("mozilla/translations"),
        level: 1,
        target: ("beetmover", "project:translations:releng:beetmover:bucket:release"),
        ..GIT
    },
    Product {
        name: "xpi",
        prefix: "XPI",
        domain: "xpi",
        git: Some("mozilla-extensions/xpi-manifest"),
        target: ("signing", "project:xpi:signing:cert:release-signing"),
        ..GIT
    },
];

impl Product {
    /// `adhoc`.
    pub const ADHOC: &'static Product = &PRODUCTS[0];
    /// `app-services`.
    pub const APP_SERVICES: &'static Product = &PRODUCTS[1];
    /// `enterprise`.
    pub const ENTERPRISE: &'static Product = &PRODUCTS[2];
    /// `firefox`.
    pub const FIREFOX: &'static Product = &PRODUCTS[3];
    /// `glean`.
    pub const GLEAN: &'static Product = &PRODUCTS[4];
    /// `mobile`.
    pub const MOBILE: &'static Product = &PRODUCTS[5];
    /// `mozillavpn`.
    pub const MOZILLAVPN: &'static Product = &PRODUCTS[6];
    /// `scriptworker`.
    pub const SCRIPTWORKER: &'static Product = &PRODUCTS[7];
    /// `thunderbird`.
    pub const THUNDERBIRD: &'static Product = &PRODUCTS[8];
    /// `translations`.
    pub const TRANSLATIONS: &'static Product = &PRODUCTS[9];
    /// `xpi`.
    pub const XPI: &'static Product = &PRODUCTS[10];

    /// The product of this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn named(name: &str) -> Result<&'static Product, BuildError> {
        let found = PRODUCTS.iter().find(|product| product.name == name);
        found.ok_or_else(|| BuildError::Product { name: name.to_owned() })
    }

    /// All products.
    pub fn all() -> &'static [Product] {
        &PRODUCTS
    }

    /// Whether it has sources there.
    pub fn has(&self, vcs: Vcs) -> bool {
        match vcs {
            Vcs::Hg => self.hg.is_some(),
            Vcs::Git => self.git.is_some(),
        }
    }

    /// Where its sources mainly live.
    pub fn main_vcs(&self) -> Vcs {
        if self.hg.is_some() { Vcs::Hg } else { Vcs::Git }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_match_their_names() {
        let named = [
            (Product::ADHOC, "adhoc"),
            (Product::APP_SERVICES, "app-services"),
            (Product::ENTERPRISE, "enterprise"),
            (Product::FIREFOX, "firefox"),
            (Product::GLEAN, "glean"),
            (Product::MOBILE, "mobile"),
            (Product::MOZILLAVPN, "mozillavpn"),
            (Product::SCRIPTWORKER, "scriptworker"),
            (Product::THUNDERBIRD, "thunderbird"),
            (Product::TRANSLATIONS, "translations"),
            (Product::XPI, "xpi"),
        ];
        assert_eq!(named.len(), Product::all().len());
        for (product, name) in named {
            assert_eq!(product.name, name);
        }
    }
}
