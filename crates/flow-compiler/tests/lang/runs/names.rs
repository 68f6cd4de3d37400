//! Where paths lead, as people write them.

use flow_core::address::{At, Part};
use flow_core::run::{Names, NoPlace};

use crate::project::{compile, root};

use super::script::Script;
use super::world::World;

const FILE: &str = r#"
#> film/stills[0]/made: ok {"code": 0, "text": "a", "errors": "", "files": {}}

workflow film() -> text {
  film = text.truncate("film", most: 2)
  stills = for name in ["fox", "a b"] by name {
    made = shell.run(["make", name])
    yield made.text
  }
  last = repeat x: int = 0 max 2 { yield x + 1 }
  note = if last > 0 {
    post = shell.run(["post"])
    yield post.text
  } else {
    spare = shell.run(["post"])
    yield spare.text
  }
  inner = part()
  return "${film} ${len(stills)} ${note} ${inner}"
}

workflow part() -> text {
  note = text.truncate("part", most: 2)
  return note
}
"#;

/// Returns a run that is over, and the names in it.
fn film() -> (World, Names) {
    let compiled = compile(&root().join("tests/runs"), "film.flow", FILE);
    let mut workflows = compiled.workflows.into_iter();
    let film = workflows.find(|workflow| &*workflow.name == "film");
    let plan = film.and_then(|film| film.plan).unwrap();
    let mut world = World::begin(plan, Script::read(FILE));
    world.live();
    let names = Names::of(&world.plan, &world.log);
    (world, names)
}

#[test]
fn a_path_leads_where_it_is_shown_to_lead() {
    let (world, names) = film();
    let path = |at: &At| names.path(at, &world.memory);
    for event in &world.log {
        let text = format!("{event:?}");
        let flow_core::event::Fact::AttemptStarted(started) = &event.fact else {
            continue;
        };
        let at = &started.ticket.at;
        let part = Part::whole(at.clone());
        for path in [path(at), names.short(at, &world.memory)] {
            let read = path.to_string().parse().unwrap();
            assert_eq!(names.find(&read, &world.memory), Ok(part.clone()), "{text}");
        }
    }
    let found = |text: &str| {
        let part = names.find(&text.parse().unwrap(), &world.memory).unwrap();
        format!("{} {:?}", path(&part.at), part.item)
    };
    assert_eq!(found("film/stills[fox]/made"), "film/stills[fox]/made None");
    assert_eq!(
        found("stills[\"a b\"]/made"),
        "film/stills[\"a b\"]/made None"
    );
    assert_eq!(found("stills[fox]"), "film/stills Some(0)");
    assert_eq!(found("last[1]"), "film/last Some(1)");
    assert_eq!(found("note/then/post"), "film/note/then/post None");
    assert_eq!(found("then/post"), "film/note/then/post None");
    assert_eq!(found("post"), "film/note/then/post None");
    assert_eq!(found("inner/note"), "film/inner/note None");
    // A step is meant before the workflow that is called like it.
    assert_eq!(found("film"), "film/film None");
    assert_eq!(found("film/film"), "film/film None");
}

#[test]
fn a_path_that_leads_nowhere_says_where_it_could_lead() {
    let (world, names) = film();
    let wrong = |text: &str| {
        let wrong = names.find(&text.parse().unwrap(), &world.memory);
        let wrong = wrong.unwrap_err();
        let there = match &wrong {
            NoPlace::Name { there, .. } | NoPlace::Several { there } => format!("{there:?}"),
            NoPlace::Item { there, .. } => format!("{there:?}"),
            NoPlace::NoKey { .. } | NoPlace::NoItems { .. } => String::new(),
        };
        format!("{wrong}: {there}")
    };
    let all = r#"["film", "stills", "last", "note", "inner"]"#;
    assert_eq!(
        wrong("stils"),
        format!("the run has no step `stils`: {all}")
    );
    assert_eq!(
        wrong("stills[fox]/mad"),
        r#"there is no `mad` in `film/stills[fox]`: ["made"]"#
    );
    assert_eq!(wrong("stills/made"), "`film/stills` has several items: ");
    assert_eq!(
        wrong("stills[ox]/made"),
        r#"`film/stills` has no item `ox`: [Word("fox"), Word("a b")]"#
    );
    assert_eq!(
        wrong("last[7]"),
        "`film/last` has no item `7`: [Index(0), Index(1)]"
    );
    assert_eq!(wrong("inner[0]"), "`film/inner` has no items: ");
    assert_eq!(
        wrong("note/then/pots"),
        r#"there is no `pots` in `film/note/then`: ["post"]"#
    );
    assert_eq!(
        wrong("note/pots"),
        r#"there is no `pots` in `film/note`: ["then/post", "else/spare"]"#
    );
}
