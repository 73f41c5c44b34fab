//! The repository itself: documents name what exists, files keep their size, manifests their rules.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Longest Rust file without a reason.
const MOST_LINES: usize = 500;

/// Longer files and why one file is better than two.
const LONG_FILES: &[(&str, &str)] = &[
    ("model-io/src/network_file/tests/messages.rs", "one list: each mistake with its message"),
    ("snn-convert/tests/onnx_files.rs", "one list: each damaged file with its error"),
];

/// Documents whose backticked paths must exist.
const DOCUMENTS: &[&str] = &["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"];

/// Folders that commands make; documents name what lies there.
const MADE_BY_COMMANDS: &[&str] = &["out/", "target/", ".venv/"];

/// Endings of files that people read and write as text.
const TEXT: &[&str] = &["rs", "toml", "md", "py", "sh", "css", "js", "html", "svg", "txt", "json"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files under version control and those that will be, relative to the root, `/` between folders.
fn files() -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output();
    let names: Vec<String> = match listed {
        Ok(output) if output.status.success() && !output.stdout.is_empty() => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            text.split('\0').filter(|name| !name.is_empty()).map(str::to_string).collect()
        }
        _ => walk(root()),
    };
    assert!(names.iter().any(|name| name == "Cargo.toml"), "no files were found");
    names.into_iter().filter(|name| root().join(name).is_file()).collect()
}

/// All files where there is no git.
fn walk(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let relative = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
        let made = MADE_BY_COMMANDS.iter().any(|made| format!("{relative}/") == **made);
        if made || relative == ".git" || relative.ends_with("__pycache__") {
            continue;
        }
        if path.is_dir() {
            found.extend(walk(&path));
        } else {
            found.push(relative);
        }
    }
    found
}

fn ending(name: &str) -> &str {
    name.rsplit('/').next().and_then(|last| last.rsplit_once('.')).map_or("", |(_, ending)| ending)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The files of these endings with their text.
fn texts(endings: &[&str]) -> Vec<(String, String)> {
    let chosen = files().into_iter().filter(|name| endings.contains(&ending(name)));
    chosen.map(|name| (name.clone(), read(&name))).collect()
}

fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

/// What stands between single backticks outside of fenced blocks.
fn code_spans(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut spans = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            spans.extend(line.split('`').skip(1).step_by(2).map(str::to_string));
        }
    }
    spans
}

/// The part of a word that must exist if the word looks like a path of the repository.
fn as_path(word: &str) -> Option<&str> {
    let is_path = |c: char| c.is_ascii_alphanumeric() || "/._-<>".contains(c);
    if !word.contains('/') && !word.ends_with(".md") || !word.chars().all(is_path) {
        return None;
    }
    let made = MADE_BY_COMMANDS.iter().any(|made| word.starts_with(made));
    let first = word.split('/').next().unwrap_or_default();
    let looks = TEXT.contains(&ending(word)) || (!first.is_empty() && root().join(first).exists());
    if made || !looks {
        return None;
    }
    // `folder/<name>.rs` stands for any file of the folder.
    Some(word.split('<').next().unwrap_or_default())
}

#[test]
fn documents_name_paths_that_exist() {
    let mut problems = Vec::new();
    let mut named = 0;
    let design = files().into_iter().filter(|name| name.starts_with("docs/design/"));
    for document in DOCUMENTS.iter().map(|name| (*name).to_string()).chain(design) {
        for span in code_spans(&read(&document)) {
            for path in span.split_whitespace().filter_map(as_path) {
                named += 1;
                if !root().join(path).exists() {
                    problems.push(format!("{document}: `{path}` does not exist"));
                }
            }
        }
    }
    assert_none(&problems);
    assert!(named > 50, "only {named} paths were found: the search is broken");
}

/// Targets of markdown links and pictures.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let pictures = text.split("src=\"").skip(1).filter_map(|rest| rest.split('"').next());
    targets.chain(pictures).filter(|target| !target.contains("://") && !target.starts_with('#'))
}

#[test]
fn links_of_documents_lead_somewhere() {
    let mut problems = Vec::new();
    for (name, text) in texts(&["md"]) {
        let folder = root().join(&name).parent().map(PathBuf::from).unwrap();
        for target in links(&text) {
            let path = target.split('#').next().unwrap_or_default();
            if !folder.join(path).exists() {
                problems.push(format!("{name}: the link to {target} leads nowhere"));
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn registries_named_in_the_architecture_exist_in_their_files() {
    let text = read("ARCHITECTURE.md");
    let rows: Vec<Vec<String>> = text.lines().map(code_spans).collect();
    let mut found = 0;
    for row in rows {
        let Some(name) = row.iter().find(|span| is_static_name(span)) else {
            continue;
        };
        let file = row.last().unwrap();
        assert!(read(file).contains(&format!("static {name}:")), "{file} has no list `{name}`");
        found += 1;
    }
    assert!(found > 10, "only {found} registries were found: the search is broken");
}

fn is_static_name(span: &str) -> bool {
    span.len() > 3 && span.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

#[test]
fn rust_files_keep_their_size() {
    let mut problems = Vec::new();
    for (name, text) in texts(&["rs"]) {
        let lines = text.lines().count();
        if lines > MOST_LINES && !LONG_FILES.iter().any(|(long, _)| *long == name) {
            problems.push(format!("{name} has {lines} lines, at most {MOST_LINES}: split it"));
        }
    }
    for (name, _) in LONG_FILES {
        if !root().join(name).is_file() {
            problems.push(format!("{name} is allowed to be long and does not exist"));
        }
    }
    assert_none(&problems);
}

#[test]
fn texts_have_no_trailing_spaces_and_rust_has_no_tabs() {
    let mut problems = Vec::new();
    for (name, text) in texts(TEXT) {
        if name.starts_with("tests/data/") {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            if line.ends_with([' ', '\t']) {
                problems.push(format!("{name}:{}: spaces at the end", number + 1));
            }
            if name.ends_with(".rs") && line.contains('\t') {
                problems.push(format!("{name}:{}: a tab", number + 1));
            }
        }
        if !text.is_empty() && !text.ends_with('\n') {
            problems.push(format!("{name}: no line break at the end"));
        }
    }
    assert_none(&problems);
}

#[test]
fn nothing_is_ignored_or_left_undone() {
    // Written in two parts, so that this file does not find itself.
    let banned = [
        concat!("#[ig", "nore"),
        concat!("to", "do!("),
        concat!("unimpl", "emented!("),
        concat!("db", "g!("),
    ];
    let mut problems = Vec::new();
    for (name, text) in texts(&["rs"]) {
        for word in banned.iter().filter(|word| text.contains(**word)) {
            problems.push(format!("{name}: {word}"));
        }
    }
    assert_none(&problems);
}

#[test]
fn no_path_of_one_machine_is_written_down() {
    // Tests make temporary folders through the standard library and name none.
    let folders =
        [concat!("/wo", "rk/"), concat!("/tm", "p/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];
    let mut problems = Vec::new();
    for name in files() {
        let Ok(text) = std::fs::read_to_string(root().join(&name)) else {
            continue; // not a text
        };
        for folder in folders.iter().filter(|folder| names_folder(&text, folder)) {
            problems.push(format!("{name} names the folder {folder}"));
        }
    }
    assert_none(&problems);
}

/// Whether the text names an absolute folder; `some/tmp/` and `https://host/home/` are none.
fn names_folder(text: &str, folder: &str) -> bool {
    let absolute = |(start, _): (usize, &str)| {
        let before = text[..start].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && !"_-./}".contains(c))
    };
    text.match_indices(folder).any(absolute)
}

/// The lines of a section such as `[dependencies]`, with their index.
fn section<'a>(manifest: &'a [&'a str], header: &str) -> Vec<(usize, &'a str)> {
    let lines = manifest.iter().copied().enumerate();
    let after = lines.skip_while(|(_, line)| line.trim() != header).skip(1);
    after.take_while(|(_, line)| !line.starts_with('[')).collect()
}

#[test]
fn manifests_keep_their_rules() {
    let mut problems = Vec::new();
    for name in files().iter().filter(|name| name.ends_with("Cargo.toml")) {
        let text = read(name);
        let lines: Vec<&str> = text.lines().collect();
        // One crate may call functions compiled for an instruction set: docs/design/instruction_sets.md.
        let own_lints = name == "kernels/Cargo.toml";
        let taken = section(&lines, "[lints]").iter().any(|(_, line)| *line == "workspace = true");
        if !taken && !own_lints {
            problems.push(format!("{name} does not take the lints of the workspace"));
        }
        for header in ["[dependencies]", "[dev-dependencies]", "[build-dependencies]"] {
            for (_, line) in section(&lines, header) {
                if line.contains('=') && !line.contains("workspace = true") {
                    problems.push(format!("{name}: `{line}` is not taken from the workspace"));
                }
            }
        }
        for (index, line) in section(&lines, "[workspace.dependencies]") {
            let external =
                line.contains(" = ") && !line.starts_with('#') && !line.contains("path =");
            if external && !lines[index - 1].starts_with("# ") {
                problems.push(format!("{name}: `{line}` has no reason in the line above"));
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn the_glossary_has_one_line_a_term() {
    let text = read("docs/glossary.md");
    let mut terms = BTreeSet::new();
    let mut problems = Vec::new();
    let body = text.lines().skip_while(|line| !line.starts_with("## "));
    for line in body.filter(|line| !line.is_empty() && !line.starts_with("## ")) {
        let term = line.strip_prefix("- **").and_then(|rest| rest.split_once("**: "));
        match term {
            Some((term, meaning)) if !meaning.is_empty() && line.ends_with('.') => {
                if !terms.insert(term.to_lowercase()) {
                    problems.push(format!("`{term}` stands there twice"));
                }
            }
            _ => problems.push(format!("not of the form `- **term**: meaning.`: {line}")),
        }
    }
    assert_none(&problems);
    assert!(terms.len() > 50, "only {} terms were found: the search is broken", terms.len());
}
