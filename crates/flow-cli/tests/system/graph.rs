//! `flow graph`: pictures that are complete in themselves.

use crate::folder::Folder;

const CHAIN: &str = "\
## Says <hello> & \"goodbye\".
workflow chain(times: int in 1..3 = 2) -> text {
  page = http.get(\"https://example.org/\")
  parts = for part in [\"a\", \"b\"] {
    short = text.truncate(\"${part} ${page.text}\", most: 10)
    yield short
  }
  ok = approve(\"Good?\", show: parts)
  said = if ok {
    word = text.truncate(join(parts, \" \"), most: times)
    yield word
  } else {
    yield \"\"
  }
  return said
}
";

#[test]
fn a_picture_is_balanced_and_needs_nothing_from_elsewhere() {
    let folder = Folder::new("svg");
    folder.write("chain.flow", CHAIN);
    let ran = folder.flow(&["graph", "chain.flow", "--format", "svg"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let svg = &ran.out;
    assert!(svg.starts_with("<svg xmlns="));
    assert!(svg.contains("Says &lt;hello&gt; &amp; &quot;goodbye&quot;"));
    assert_eq!(svg.matches("<g ").count(), svg.matches("</g>").count());
    assert_eq!(
        svg.matches("<text ").count(),
        svg.matches("</text>").count()
    );
    for outside in ["href", "url(http", "@import", "<script", "NaN", "inf"] {
        assert!(!svg.contains(outside), "{outside} in {svg}");
    }
    for part in [
        "page",
        "http.get",
        "for part in",
        "approve",
        "then",
        "else",
        "return said",
    ] {
        assert!(svg.contains(part), "{part} is not drawn");
    }
}

#[test]
fn the_same_plan_is_drawn_the_same_way() {
    let folder = Folder::new("same");
    folder.write("chain.flow", CHAIN);
    for format in ["svg", "mermaid", "dot"] {
        let draw = || {
            folder
                .flow(&["graph", "chain.flow", "--format", format])
                .out
        };
        assert_eq!(draw(), draw());
    }
}

#[test]
fn a_picture_goes_into_a_file_if_asked() {
    let folder = Folder::new("file");
    folder.write("chain.flow", CHAIN);
    let ran = folder.flow(&["graph", "chain.flow", "--format", "svg", "-o", "chain.svg"]);
    assert_eq!((ran.code, &*ran.out), (Some(0), ""), "{}", ran.err);
    assert!(folder.read("chain.svg").ends_with("</svg>\n"));
}
