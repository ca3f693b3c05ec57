//! The public API of the library that programs embed, as text: `docs/api/catena.txt`. A change to it shows in
//! review, and a test holds the text to the code.

use crate::failure::Failure;
use crate::process::root;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use syn::spanned::Spanned;
use syn::{Attribute, Fields, ImplItem, Item, ItemImpl, TraitItem, Type, UseTree, Visibility};

/// What is listed.
const SOURCES: &str = "crates/catena/src";
/// The file that holds the list.
const LISTING: &str = "docs/api/catena.txt";

/// Writes the list again.
pub(crate) fn write() -> Result<(), Failure> {
    let listing = root().join(LISTING);
    let text = listed(&root().join(SOURCES))?;
    let folder = listing.parent().unwrap_or(root());
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&listing, text))
        .map_err(|cause| Failure::File { path: listing.clone(), cause })
}

/// Every public item of a crate whose modules are private and whose `lib.rs` exports by name.
fn listed(sources: &Path) -> Result<String, Failure> {
    let lib = Source::read(sources.join("lib.rs"))?;
    let modules: BTreeSet<String> = lib.items().filter_map(module).collect();
    let mut text = String::from("# Made by `cargo xtask regenerate api`.\n");
    let mut own = Vec::new();
    for item in lib.items() {
        let Item::Use(import) = item else { continue };
        match &import.tree {
            _ if !is_public(&import.vis) => {}
            UseTree::Path(path) if modules.contains(&path.ident.to_string()) => {
                own.push((path.ident.to_string(), names(&path.tree)));
            }
            _ => text.push_str(&format!("{}\n", lib.text(import))),
        }
    }
    for (module, names) in own {
        let source = Source::read(sources.join(format!("{module}.rs")))?;
        for item in source.items() {
            source.list(item, &names, &mut text);
        }
    }
    Ok(text)
}

fn module(item: &Item) -> Option<String> {
    match item {
        Item::Mod(module) => Some(module.ident.to_string()),
        _ => None,
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// The names that an import takes out of a module.
fn names(tree: &UseTree) -> BTreeSet<String> {
    match tree {
        UseTree::Name(name) => BTreeSet::from([name.ident.to_string()]),
        UseTree::Group(group) => group.items.iter().flat_map(names).collect(),
        _ => BTreeSet::new(),
    }
}

/// A file of code.
struct Source {
    text: String,
    file: syn::File,
}

impl Source {
    fn read(path: PathBuf) -> Result<Self, Failure> {
        let failed = |path, cause| Failure::File { path, cause };
        let text = std::fs::read_to_string(&path).map_err(|cause| failed(path.clone(), cause))?;
        let file = syn::parse_file(&text).map_err(|error| failed(path, std::io::Error::other(error)))?;
        Ok(Self { text, file })
    }

    fn items(&self) -> impl Iterator<Item = &Item> {
        self.file.items.iter()
    }

    /// The text of a piece of code, on one line.
    fn text(&self, piece: &impl Spanned) -> String {
        let text = self.text.get(piece.span().byte_range()).unwrap_or_default();
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        line.replace("( ", "(").replace(", )", ")")
    }

    fn list(&self, item: &Item, names: &BTreeSet<String>, out: &mut String) {
        match item {
            Item::Struct(item) if names.contains(&item.ident.to_string()) => {
                self.head(&item.attrs, &format!("pub struct {}", item.ident), &item.generics, out);
                if let Fields::Named(fields) = &item.fields {
                    let public = fields.named.iter().filter(|field| is_public(&field.vis));
                    for (field, name) in public.filter_map(|field| Some((field, field.ident.as_ref()?))) {
                        out.push_str(&format!("    pub {name}: {}\n", self.text(&field.ty)));
                    }
                }
            }
            Item::Enum(item) if names.contains(&item.ident.to_string()) => {
                self.head(&item.attrs, &format!("pub enum {}", item.ident), &item.generics, out);
                for variant in &item.variants {
                    let fields = variant.fields.iter().map(|field| match &field.ident {
                        Some(name) => format!("{name}: {}", self.text(&field.ty)),
                        None => self.text(&field.ty),
                    });
                    let fields = fields.collect::<Vec<_>>().join(", ");
                    out.push_str(&format!("    {}({fields})\n", variant.ident));
                }
            }
            Item::Trait(item) if names.contains(&item.ident.to_string()) => {
                self.head(&item.attrs, &format!("pub trait {}", item.ident), &item.generics, out);
                for member in &item.items {
                    if let TraitItem::Fn(function) = member {
                        out.push_str(&format!("    {}\n", self.text(&function.sig)));
                    }
                }
            }
            Item::Type(item) if names.contains(&item.ident.to_string()) => {
                out.push_str(&format!("\npub type {} = {}\n", item.ident, self.text(&item.ty)));
            }
            Item::Fn(item) if names.contains(&item.sig.ident.to_string()) => {
                out.push_str(&format!("\npub {}\n", self.text(&item.sig)));
            }
            Item::Impl(item) => self.implementation(item, names, out),
            _ => {}
        }
    }

    /// The first lines of a type: what it derives, and its name.
    fn head(&self, attributes: &[Attribute], name: &str, generics: &syn::Generics, out: &mut String) {
        out.push('\n');
        for attribute in attributes.iter().filter(|attribute| !attribute.path().is_ident("doc")) {
            out.push_str(&format!("{}\n", self.text(attribute)));
        }
        let generics = if generics.params.is_empty() { String::new() } else { self.text(generics) };
        out.push_str(&format!("{name}{generics}\n"));
    }

    fn implementation(&self, item: &ItemImpl, names: &BTreeSet<String>, out: &mut String) {
        let Type::Path(path) = item.self_ty.as_ref() else { return };
        let is_named = path.path.segments.last().is_some_and(|last| names.contains(&last.ident.to_string()));
        if !is_named {
            return;
        }
        let name = self.text(&item.self_ty);
        if let Some((_, of, _)) = &item.trait_ {
            out.push_str(&format!("\nimpl {} for {name}\n", self.text(of)));
            return;
        }
        let public = item.items.iter().filter_map(|member| match member {
            ImplItem::Fn(function) if is_public(&function.vis) => Some(self.text(&function.sig)),
            _ => None,
        });
        let lines: String = public.map(|signature| format!("    pub {signature}\n")).collect();
        if !lines.is_empty() {
            out.push_str(&format!("\nimpl {name}\n{lines}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_listing_is_that_of_the_code() {
        let kept = std::fs::read_to_string(root().join(LISTING)).unwrap();
        let listed = listed(&root().join(SOURCES)).unwrap();
        assert!(kept == listed, "`cargo xtask regenerate api`, and look at the difference:\n{listed}");
        for name in ["TrustConfig", "Batch", "Error", "Verifier", "fn replay"] {
            assert!(kept.contains(name), "{name}");
        }
    }

    #[test]
    fn what_is_public_is_listed_and_nothing_else() {
        let folder = std::env::temp_dir().join(format!("catena-api-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let lib = "mod a;\npub use a::{E, S, run};\npub use std::time::Duration;\nuse a::Hidden;\n";
        std::fs::write(folder.join("lib.rs"), lib).unwrap();
        let module = "/// A.\n#[derive(Clone)]\npub struct S {\n    pub x: u8,\n    y: u8,\n}\npub struct Hidden;\n\
            pub enum E { A, B { path: String }, C(u8) }\nimpl S {\n    pub fn of(\n        x: u8,\n    ) -> Self { \
            todo(x) }\n    pub(crate) fn no(&self) {}\n}\nimpl Drop for S { fn drop(&mut self) {} }\n\
            impl Hidden { pub fn no(&self) {} }\npub async fn run() -> u8 { 1 }\n";
        std::fs::write(folder.join("a.rs"), module).unwrap();
        let text = listed(&folder).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        let expected = "# Made by `cargo xtask regenerate api`.\npub use std::time::Duration;\n\n\
            #[derive(Clone)]\npub struct S\n    pub x: u8\n\npub enum E\n    A()\n    B(path: String)\n    C(u8)\n\n\
            impl S\n    pub fn of(x: u8) -> Self\n\nimpl Drop for S\n\npub async fn run() -> u8\n";
        assert_eq!(text, expected);
    }
}
