//! Valid chains that take more work than usual.

use super::changes::Changed;
use super::{action, cron, promotion, push};
use crate::change::{
    ACTIONS, PARAMETERS, build, edit, first_decision, inside, json, nth_build, published, replace_page, set,
    target,
};
use catena_testbed::{Chain, Release};

pub(super) const CHANGED: &[Changed] = &[
    ("template that multiplies a thousand numbers", push, |c| {
        works(c, "{$map: {$eval: 'range(0, 1000)'}, 'each(x)': {$eval: 'x * x'}}")
    }),
    ("template that adds two thousand numbers", cron, |c| {
        works(c, "{$reduce: {$eval: 'range(0, 2000)'}, initial: 0, 'each(a, x)': {$eval: 'a + x'}}")
    }),
    ("template that sorts a thousand numbers", promotion, |c| {
        works(c, "{$sort: {$eval: 'range(0, 1000)'}, 'by(x)': '0 - x'}")
    }),
    ("template that doubles a string ten times", push, |c| {
        let doubled = (0..10).fold("{$eval: 'len(a)'}".to_owned(), |inner, _| {
            format!("{{$let: {{a: '${{a}}${{a}}'}}, in: {inner}}}")
        });
        works(c, &format!("{{$let: {{a: x}}, in: {doubled}}}"))
    }),
    ("template with a long comment", action, |c| {
        let comment = format!("version: 1\n# {}\n", "x".repeat(200_000));
        replace_page(c, "/raw-file/", "version: 1\n", &comment)
    }),
    ("schema of two thousand parts", action, |c| {
        let schema = json(&format!("{{\"allOf\":[{}]}}", vec!["true"; 2000].join(",")))?;
        offers(c, |text| {
            let mut actions = json(text)?;
            let offers = inside(&mut actions, &["actions"])?.as_array_mut()?;
            offers.iter_mut().try_for_each(|offer| set(offer, &["schema"], schema.clone()))?;
            Some(actions.to_string())
        })
    }),
    ("actions with much space", promotion, |c| {
        offers(c, |text| Some(format!("{text}{}", " ".repeat(200_000))))
    }),
    ("parameters with a long comment", promotion, |c| {
        let decision = first_decision(c)?;
        published(c, &decision, PARAMETERS, |text| Some(format!("{text}# {}\n", "x".repeat(200_000))))
    }),
    ("builds that are inputs of all later ones", ten_builds, |c| {
        (0..10).try_for_each(|number| {
            let id = nth_build(c, number)?;
            (0..number).try_for_each(|earlier| {
                let input = nth_build(c, earlier)?;
                edit(c, &id, |task| {
                    if task.pointer(&["extra", "chainOfTrust", "inputs"]).is_none() {
                        set(task, &["extra", "chainOfTrust"], json(r#"{"inputs":{}}"#)?)?;
                    }
                    let inputs = inside(task, &["extra", "chainOfTrust", "inputs"])?;
                    set(inputs, &[&format!("build-{earlier}")], input.as_str())
                })
            })
        })
    }),
    ("task named as an input three hundred times", push, |c| {
        target(c, |task| {
            let entries = inside(task, &["payload", "upstreamArtifacts"])?.as_array_mut()?;
            let again = entries.first()?.clone();
            entries.extend(vec![again; 300]);
            Some(())
        })
    }),
    ("build with a long variable", cron, |c| build(c, &["payload", "env", "LONG"], "x".repeat(100_000))),
    ("sixty builds", sixty_builds, |_| Some(())),
];

fn ten_builds() -> Release {
    Release { builds: 10, ..push() }
}

fn sixty_builds() -> Release {
    Release { builds: 60, ..push() }
}

/// Adds unused work to the templates on Mercurial.
fn works(chain: &mut Chain, expression: &str) -> Option<()> {
    replace_page(chain, "/raw-file/", "version: 1\n", &format!("version: 1\nwork: {expression}\n"))
}

/// Changes the text of what the target's decision task offers as actions.
fn offers(chain: &mut Chain, change: impl FnOnce(&str) -> Option<String>) -> Option<()> {
    let decision = first_decision(chain)?;
    published(chain, &decision, ACTIONS, change)
}
