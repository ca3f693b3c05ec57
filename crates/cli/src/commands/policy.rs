//! `catena policy`: the policy as data.

use crate::failure::{DONE, Failure, USAGE};
use crate::output::{Output, counted, show};
use catena::{Error, TextFile, TrustConfig};
use catena_json::{Limits, Value};
use catena_keys::TrustedKey;
use catena_policy::import::{DUMP, from_scriptworker};
use catena_policy::{
    Diagnostic, FIREFOX_CI, ImageKinds, KeyRing, KindRole, Landed, Product, Severity, Usage, Vcs,
};
use catena_report::escape;
use clap::{Args, Subcommand};
use std::collections::BTreeMap;
use std::fmt::{self, Display, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const CHECK_EXAMPLES: &str = "\
Examples:
  catena policy check policies/ours.yml
  catena policy check policies/*.yml
      Each file separately, with the files that it extends.
  catena policy check --together base.yml ours.yml
      ours.yml over base.yml, like --policy base.yml --policy ours.yml.

Exit status: 0 when every file can be used (there may be warnings), 2 otherwise.";

const IMPORT_EXAMPLES: &str = "\
Examples:
  catena policy import --installed /opt/scriptworker/bin/python --output firefox-ci.yml
      From the scriptworker that is installed in that Python.
  catena policy import defaults.json --of 'scriptworker 63.6.1'
      From its DEFAULT_CONFIG as JSON.

Exit status: 0 when a policy was made, 2 when the defaults cannot be expressed, 3 when it could not be written.";

const SHOW_EXAMPLES: &str = "\
Examples:
  catena policy show > ours.yml
      The shipped policy, as a start for your own (or extend it: `extends: shipped:firefox-ci`).
  catena policy show --product firefox
      The resolved policy of a product.
  catena policy show --policy ours.yml
      The products of another policy.";

/// Check, import and show policies
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Report errors in policy files, with line and column
    #[command(after_long_help = CHECK_EXAMPLES)]
    Check(CheckArgs),
    /// Generate a policy from scriptworker's defaults
    #[command(after_long_help = IMPORT_EXAMPLES)]
    Import(ImportArgs),
    /// Show the shipped policy, or the resolved policy of a product
    #[command(after_long_help = SHOW_EXAMPLES)]
    Show(ShowArgs),
}

/// What to check.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Policy files
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// As one policy, in which each file overlays the one before it
    #[arg(long)]
    together: bool,
}

/// What to import.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// scriptworker's DEFAULT_CONFIG as JSON; `-` reads standard input
    #[arg(value_name = "SOURCE", required_unless_present_any = ["installed", "worker"])]
    #[arg(conflicts_with = "installed")]
    source: Option<PathBuf>,
    /// The trust settings of a worker's configuration, as a layer over the shipped policy
    #[arg(long, value_name = "CONFIG", conflicts_with_all = ["source", "installed", "of"])]
    worker: Option<PathBuf>,
    /// Read the defaults of the scriptworker that is installed for PYTHON
    #[arg(long, value_name = "PYTHON", num_args = 0..=1, default_missing_value = "python3")]
    installed: Option<PathBuf>,
    /// The origin of the defaults, for the header of the policy [default: the file's name]
    #[arg(long, value_name = "NAME", conflicts_with = "installed")]
    of: Option<String>,
    /// Write the policy to FILE instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What to show.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The product; without it, the shipped policy, or the names of the products of --policy
    #[arg(long, value_name = "NAME", visible_alias = "cot-product")]
    product: Option<String>,
    /// A policy file instead of the shipped one; later ones extend earlier ones
    #[arg(long, value_name = "FILE")]
    policy: Vec<PathBuf>,
}

pub(crate) fn run(command: PolicyCommand) -> Result<u8, Failure> {
    match command {
        PolicyCommand::Check(args) => check(&args),
        PolicyCommand::Import(args) => import(args),
        PolicyCommand::Show(args) => show_policy(&args),
    }
}

fn check(args: &CheckArgs) -> Result<u8, Failure> {
    let mut text = String::new();
    let mut usable = true;
    if args.together {
        usable = check_one("together", &args.files, &mut text)?;
    } else {
        for file in &args.files {
            usable &= check_one(&file.display().to_string(), std::slice::from_ref(file), &mut text)?;
        }
    }
    show(&text)?;
    Ok(if usable { DONE } else { USAGE })
}

fn check_one(name: &str, files: &[PathBuf], text: &mut String) -> Result<bool, Failure> {
    let checked = match TrustConfig::read(files, None) {
        Ok(trust_config) => Ok(trust_config),
        Err(Error::Policy(diagnostics)) => Err(diagnostics),
        Err(error) => return Err(error.into()),
    };
    let (usable, diagnostics) = match &checked {
        Ok(trust_config) => (true, trust_config.policy().warnings()),
        Err(diagnostics) => (false, diagnostics.as_slice()),
    };
    for diagnostic in diagnostics {
        for line in diagnostic.to_string().lines() {
            push_line(text, line);
        }
    }
    let summary = match &checked {
        Ok(trust_config) => {
            let products = counted(trust_config.policy().products().count(), "product", "products");
            format!("valid: {products}, {}", counted(diagnostics.len(), "warning", "warnings"))
        }
        Err(diagnostics) => format!("cannot be used: {}", counted(errors(diagnostics), "error", "errors")),
    };
    push_line(text, &format!("{name}: {summary}"));
    Ok(usable)
}

fn errors(diagnostics: &[Diagnostic]) -> usize {
    diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count()
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(&escape::line(line));
    text.push('\n');
}

fn import(args: ImportArgs) -> Result<u8, Failure> {
    let output = Output::of(args.output);
    output.check()?;
    if let Some(config) = &args.worker {
        output.write(&super::worker::trust_layer(config)?)?;
        return Ok(DONE);
    }
    let (name, json) = match (&args.installed, &args.source) {
        (Some(python), _) => (python.display().to_string(), installed(python)?),
        (None, Some(file)) if file.as_os_str() == "-" => ("standard input".to_owned(), standard_input()?),
        (None, Some(file)) => (file.display().to_string(), TextFile::read(file)?.text),
        (None, None) => return Err(Failure::usage("nothing to import").next("name a SOURCE, or --installed")),
    };
    let parsed = catena_json::parse(json.as_bytes(), &Limits::default()).map_err(|error| {
        Failure::usage(format!("{name}: {error}")).next("this must be scriptworker's DEFAULT_CONFIG as JSON")
    })?;
    let (version, defaults) = match (parsed.get("version").and_then(Value::as_str), parsed.get("defaults")) {
        (Some(version), Some(defaults)) => (Some(format!("scriptworker {version}")), defaults),
        _ => (None, &parsed),
    };
    let of = args.of.or(version).unwrap_or_else(|| file_name(&name));
    let imported =
        from_scriptworker(defaults, &of).map_err(|error| Failure::usage(format!("{name}: {error}")))?;
    eprintln!("catena: found the defaults of {}", escape::line(&of));
    for setting in &imported.lacking {
        eprintln!("catena: note: this release has no {setting}, so that the policy has none");
    }
    for setting in &imported.unknown {
        eprintln!(
            "catena: warning: {} is unknown and was omitted; check whether it concerns verification",
            escape::line(setting)
        );
    }
    output.write(&imported.text)?;
    Ok(DONE)
}

fn file_name(path: &str) -> String {
    Path::new(path).file_name().map_or_else(|| path.to_owned(), |name| name.to_string_lossy().into_owned())
}

/// The defaults of the scriptworker that is installed for a Python.
fn installed(python: &Path) -> Result<String, Failure> {
    let name = python.display();
    // Isolated: neither the current directory nor the environment adds modules.
    let answer =
        Command::new(python).args(["-I", "-c", DUMP]).stdin(Stdio::null()).output().map_err(|cause| {
            Failure::usage(format!("{name}: {cause}"))
                .next("name the Python in which scriptworker is installed")
        })?;
    if !answer.status.success() {
        let said = String::from_utf8_lossy(&answer.stderr);
        let last = said.trim().lines().last().unwrap_or("it said nothing");
        return Err(Failure::usage(format!("{name} cannot tell scriptworker's defaults: {last}"))
            .next("name the Python in which scriptworker is installed"));
    }
    Ok(String::from_utf8_lossy(&answer.stdout).into_owned())
}

fn standard_input() -> Result<String, Failure> {
    std::io::read_to_string(std::io::stdin().lock())
        .map_err(|cause| Failure::usage(format!("standard input: {cause}")))
}

fn show_policy(args: &ShowArgs) -> Result<u8, Failure> {
    if args.product.is_none() && args.policy.is_empty() {
        return show(FIREFOX_CI);
    }
    let trust_config = TrustConfig::read(&args.policy, None)?;
    let Some(name) = &args.product else {
        return show(
            &trust_config
                .policy()
                .products()
                .map(|name| format!("{}\n", escape::line(name)))
                .collect::<String>(),
        );
    };
    let (product, keys) = trust_config.product(name)?;
    show(&told(&product, &keys))
}

/// A resolved product, in the format of a policy file.
fn told(product: &Product, keys: &KeyRing) -> String {
    let mut text = format!(
        "# {}, as it holds once everything is laid together.\n# policy: {}\n# keys: {}\n",
        escape::line(&product.name),
        product.policy.digest,
        keys.id().digest,
    );
    let mut say = |name: &str, values: Vec<String>| {
        // Writing to a string does not fail.
        let _ = match values.as_slice() {
            [] => writeln!(text, "{name}: []"),
            [one] => writeln!(text, "{name}: {}", escape::line(one)),
            many => {
                let lines = many.iter().map(|value| format!("\n  - {}", escape::line(value)));
                writeln!(text, "{name}:{}", lines.collect::<String>())
            }
        };
    };
    say("vcs", texts(product.vcs.iter().map(vcs)));
    say("source-env-prefix", vec![product.source_env_prefix.clone()]);
    say("overriding-source-env-prefixes", texts(&product.overriding_source_env_prefixes));
    say("tasks-for", texts(&product.tasks_for));
    say("decision-worker-pools", texts(&product.decision_worker_pools));
    say("docker-image-worker-pools", texts(&product.docker_image_worker_pools));
    say("scriptworker-provisioners", texts(&product.scriptworker_provisioners));
    say("prebuilt-image-kinds", image_kinds(&product.prebuilt_image_kinds));
    say("kinds", texts(product.kinds.iter().map(|(kind, role)| Pair(kind, role_name(*role)))));
    say("repositories", product.repositories.iter().flat_map(repositories).collect());
    say(
        "restricted-scopes",
        texts(product.restricted_scopes.iter().map(|rule| Pair(&rule.scope, &rule.trees))),
    );
    say("trees", trees(&product.trees));
    say("official-owners", texts(&product.official_owners));
    say("hg-git-mirrors", texts(product.hg_git_mirrors.iter().map(|(hg, git)| Pair(hg, git))));
    say("landed", vec![landed(product.landed).to_owned()]);
    let trusted_tree = if product.requires_trusted_tree { "required" } else { "optional" };
    say("trusted-tree", vec![trusted_tree.to_owned()]);
    say("hg-hosts", texts(&product.hg_hosts));
    say("projects-url", vec![product.projects_url.clone()]);
    say("max-chain-length", vec![product.max_chain_length.to_string()]);
    say("max-push-age", texts(product.max_push_age));
    say("relaxed", texts(&product.relaxed));
    say("keys", texts(keys.iter().map(|(implementation, key)| Pair(implementation, described(key, keys)))));
    text
}

/// A key, with its limits in a trust file.
fn described(trusted: &TrustedKey, keys: &KeyRing) -> String {
    let id = trusted.id.as_ref().map(|id| format!(", id: {id}"));
    let usage = keys.usage(&trusted.key).into_iter().flat_map(Usage::limits);
    let usage = usage.map(|(name, values)| format!(", {name}: {}", values.join(", ")));
    format!("{trusted}{}", id.into_iter().chain(usage).collect::<String>())
}

struct Pair<A, B>(A, B);

impl<A: Display, B: Display> Display for Pair<A, B> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.0, self.1)
    }
}

fn texts(values: impl IntoIterator<Item = impl Display>) -> Vec<String> {
    values.into_iter().map(|value| value.to_string()).collect()
}

fn image_kinds(kinds: &ImageKinds) -> Vec<String> {
    match kinds {
        ImageKinds::Any => vec!["any".to_owned()],
        ImageKinds::Of(kinds) => texts(kinds),
    }
}

fn repositories(rule: &catena_policy::RepositoryRule) -> Vec<String> {
    let schemes = texts(&rule.schemes).join("|");
    let hosts = texts(&rule.hosts).join("|");
    rule.paths.iter().map(|path| format!("{schemes}://{hosts} {path}")).collect()
}

fn trees(trees: &BTreeMap<String, std::collections::BTreeSet<String>>) -> Vec<String> {
    trees.iter().map(|(name, paths)| format!("{name}: {}", texts(paths).join(", "))).collect()
}

fn vcs(vcs: &Vcs) -> &'static str {
    match vcs {
        Vcs::Hg => "hg",
        Vcs::Github => "github",
    }
}

fn role_name(role: KindRole) -> &'static str {
    match role {
        KindRole::Decision => "decision",
        KindRole::Action => "action",
        KindRole::DockerImage => "docker-image",
        KindRole::Scriptworker => "scriptworker",
        KindRole::Plain => "plain",
    }
}

fn landed(landed: Landed) -> &'static str {
    match landed {
        Landed::BranchCommits => "branch-commits",
        Landed::Compare => "compare",
        Landed::Assumed => "assumed",
    }
}
