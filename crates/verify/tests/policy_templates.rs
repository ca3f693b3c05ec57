//! The shipped policy held against the templates of real trees, which `CATENA_SHARED` says where to find: what
//! production renders of them is allowed.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

use catena_json::{Limits, Value, parse};
use catena_model::source::SourceUrl;
use catena_model::task::{Trigger, WorkerPool};
use catena_policy::{Policy, Product, Rule};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Trees as they were before pools and images had their names of today, by their last part: of each product a
/// newer one is held against the policy.
const OLD: [&str; 8] = [
    "a3e09068be", // fenix: aws-provisioner-v1
    "de6dcd59f4", // fenix: aws-provisioner-v1
    "1f92c3fb7",  // glean: aws-provisioner-v1
    "380ade1f",   // reference-browser: aws-provisioner-v1
    "e9347cd1",   // reference-browser: aws-provisioner-v1
    "8d62e448",   // scriptworker-scripts: no decision task
    "a265c46",    // scriptworker: no decision task
    "d8aa79e",    // scriptworker: no decision task
];

fn shared(path: &str) -> Option<PathBuf> {
    let Some(root) = std::env::var_os("CATENA_SHARED") else {
        println!("skipped: CATENA_SHARED names no folder with {path}");
        return None;
    };
    Some(PathBuf::from(root).join(path))
}

fn read(path: PathBuf) -> Value {
    parse(&std::fs::read(path).unwrap(), &Limits::default()).unwrap()
}

/// The product whose rules trust a repository on GitHub.
fn product_of(policy: &Policy, owner: &str, name: &str) -> Option<Product> {
    let source = SourceUrl::parse(&format!("https://github.com/{owner}/{name}")).unwrap();
    let products = policy.products().map(|product| policy.product(product).unwrap());
    products.into_iter().find(|product| product.repository_path(&source).is_some())
}

/// What a product does not allow of a task that a template renders for a trigger.
fn refused(product: &Product, trigger: &str, task: &Value) -> Vec<String> {
    let text = |path: &[&str]| task.pointer(path).and_then(Value::as_str);
    let mut refused = Vec::new();
    let pool = format!(
        "{}/{}",
        text(&["provisionerId"]).unwrap_or_default(),
        text(&["workerType"]).unwrap_or_default()
    );
    if WorkerPool::parse(&pool).ok().is_none_or(|pool| !product.decision_worker_pools.contains(&pool)) {
        refused.push(format!("{trigger}: the pool {pool}"));
    }
    let pinned = text(&["payload", "image"]).is_none_or(|image| image.contains("@sha256:"));
    if !pinned && !product.relaxed.contains(&Rule::ImagePinned) {
        refused.push(format!("{trigger}: an image that is not pinned"));
    }
    refused
}

#[test]
fn what_real_templates_render_is_allowed() {
    let Some(folder) = shared("vectors/templates") else { return };
    let policy = Policy::shipped().unwrap();
    let (mut held, mut wrong) = (BTreeSet::new(), Vec::new());
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !path.is_dir() || OLD.iter().any(|old| name.ends_with(old)) {
            continue;
        }
        let cases = read(path.join("cases.json"));
        let of = |key: &str| cases.get(key).and_then(Value::as_str).unwrap().to_owned();
        let Some(product) = product_of(&policy, &of("owner"), &of("name")) else { continue };
        for (trigger, case) in cases.get("cases").and_then(Value::as_object).unwrap().iter() {
            let allowed = Trigger::parse(trigger).is_some_and(|trigger| product.tasks_for.contains(&trigger));
            let tasks = case.pointer(&["result", "tasks"]).and_then(Value::as_array);
            for task in tasks.into_iter().flatten().filter(|_| allowed) {
                held.insert(product.name.clone());
                wrong.extend(refused(&product, trigger, task).into_iter().map(|why| format!("{name} {why}")));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(held.len() >= 6, "{held:?}");
}

/// Enterprise's tree as it is: its push, cron and action tasks may run, though their image is named by a tag.
#[test]
fn enterprises_tree_is_allowed_as_it_is() {
    let Some(tree) = shared("field/enterprise-firefox.taskcluster.yml") else { return };
    let Some(contexts) = shared("vectors/templates/contexts.json") else { return };
    let text = std::fs::read_to_string(contexts).unwrap().replace("OWNER", "mozilla");
    let text = text.replace("\"NAME\"", "\"enterprise-firefox\"").replace("/NAME", "/enterprise-firefox");
    let text = text.replace("\"refs/heads/main\"", "\"refs/heads/enterprise-main\"");
    let contexts = parse(text.as_bytes(), &Limits::default()).unwrap();
    let document = catena_yaml::load_bytes(&std::fs::read(tree).unwrap(), &catena_yaml::Limits::default());
    let template = document.unwrap().root.to_json().unwrap();
    let product = product_of(&Policy::shipped().unwrap(), "mozilla", "enterprise-firefox").unwrap();
    for trigger in ["github-push", "cron", "action"] {
        let mut members = contexts.as_object().unwrap().iter();
        let of_trigger = members.find(|(key, _)| key.starts_with("by tasks_for"));
        let mut context = of_trigger.unwrap().1.get(trigger).unwrap().clone();
        if let Some(Value::Object(parameters)) = context.get_mut("parameters") {
            parameters.insert("repository_type", "git".into());
        }
        let mut context = catena_jsone::Context::from(context.as_object().unwrap().clone());
        context.set("tasks_for", trigger);
        context.set_function("as_slugid", |_| Ok(Value::from("Td5mZ0J1SNOAlM4bIjYkLQ")));
        let rendered = catena_jsone::render(&template, &context, &catena_jsone::Limits::default()).unwrap();
        let tasks = rendered.get("tasks").and_then(Value::as_array).unwrap();
        assert!(!tasks.is_empty(), "{trigger}");
        for task in tasks {
            assert_eq!(refused(&product, trigger, task), Vec::<String>::new());
        }
    }
}
