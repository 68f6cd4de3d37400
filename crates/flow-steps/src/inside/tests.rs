use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;

use super::*;
use tempfile::TempDir;

/// A project, something else beside it, and links between.
fn folders() -> TempDir {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    for name in ["project/sub", "project/.flow/cas", "outside/deep", "media"] {
        fs::create_dir_all(path(name)).unwrap();
    }
    for name in [
        "project/a",
        "project/sub/b",
        "project/.flow/db",
        "outside/deep/secret",
        "media/song",
    ] {
        fs::write(path(name), name).unwrap();
    }
    let links = [
        ("sub/up", "../a"),
        ("folder", "sub"),
        ("again", "folder/up"),
        ("out", "../outside/deep"),
        ("loop", "loop"),
        ("store", ".flow"),
        ("sub/store", "../.flow/db"),
        ("song", "../media/song"),
        ("chain", "sub/../sub/../../project/a"),
    ];
    for (name, target) in links {
        symlink(target, path("project").join(name)).unwrap();
    }
    symlink(path("project/a"), path("project/whole")).unwrap();
    symlink(path("outside/deep/secret"), path("project/sub/whole")).unwrap();
    folder
}

fn inside(folder: &TempDir, others: &[&str]) -> Inside {
    let others: Vec<PathBuf> = others.iter().map(|name| folder.path().join(name)).collect();
    let project = folder.path().join("project");
    let store = project.join(".flow");
    Inside::new(&project, &others, &[store])
}

fn read(inside: &Inside, path: &str) -> Result<String, String> {
    let mut text = String::new();
    let mut file = inside.open(path).map_err(|fault| fault.to_string())?;
    file.read_to_string(&mut text).unwrap();
    Ok(text)
}

#[test]
fn files_are_found_also_through_links_that_stay_inside() {
    let folder = folders();
    let inside = inside(&folder, &[]);
    for (path, content) in [
        ("a", "project/a"),
        ("./sub/b", "project/sub/b"),
        ("sub/../a", "project/a"),
        ("sub/up", "project/a"),
        ("folder/b", "project/sub/b"),
        ("again", "project/a"),
        ("whole", "project/a"),
        // It leaves, and comes back by another way.
        ("chain", "project/a"),
    ] {
        assert_eq!(read(&inside, path).as_deref(), Ok(content), "{path}");
    }
    let whole = folder.path().join("project/a");
    assert!(read(&inside, whole.to_str().unwrap()).is_ok());
}

#[test]
fn what_is_outside_is_not_reached_by_any_way() {
    let folder = folders();
    let inside = inside(&folder, &[]);
    for (path, says) in [
        ("", "is no path of a file"),
        ("a\0", "is no path of a file"),
        ("missing", "there is no `missing`"),
        ("missing/a", "there is no `missing/a`"),
        ("a/b", "can't be opened"),
        ("../outside/deep/secret", "leads out of its folder"),
        ("/etc/hostname", "leads out of its folder"),
        ("out/secret", "leads out of its folder"),
        ("sub/whole", "leads out of its folder"),
        ("song", "leads out of its folder"),
        ("loop", "too many links"),
        ("sub", "is no file"),
        (".", "is no file"),
        (".flow/db", "the store of the runs"),
        ("store/db", "the store of the runs"),
        ("sub/store", "the store of the runs"),
        (".flow", "is no file"),
    ] {
        let said = read(&inside, path).unwrap_err();
        assert!(said.contains(says), "{path}: {said}");
    }
}

#[test]
fn folders_that_are_allowed_are_reached_by_paths_and_links() {
    let folder = folders();
    let media = inside(&folder, &["media"]);
    let whole = folder.path().join("media/song");
    for path in ["song", "../media/song", whole.to_str().unwrap()] {
        assert_eq!(read(&media, path).as_deref(), Ok("media/song"), "{path}");
    }
    let said = read(&media, "../outside/deep/secret").unwrap_err();
    assert!(said.contains("and the folders that it allows"), "{said}");
    // A folder that is around the project doesn't open the store in it.
    let all = inside(&folder, &["."]);
    assert!(read(&all, "../outside/deep/secret").is_ok());
    let said = read(&all, "../project/.flow/db").unwrap_err();
    assert!(said.contains("the store of the runs"), "{said}");
}

#[test]
fn a_pipe_is_no_file_and_is_not_waited_for() {
    let folder = folders();
    let pipe = folder.path().join("project/pipe");
    rustix::fs::mknodat(CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    let said = read(&inside(&folder, &[]), "pipe").unwrap_err();
    assert_eq!(said, "`pipe` is no file");
}

#[test]
fn nothing_outside_is_opened_while_a_folder_becomes_a_link_and_back() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let folder = folders();
    let project = folder.path().join("project");
    fs::create_dir(project.join("real")).unwrap();
    fs::write(project.join("real/secret"), "inside").unwrap();
    symlink("../outside/deep", project.join("link")).unwrap();
    let inside = inside(&folder, &[]);
    let is_over = AtomicBool::new(false);
    let (mut good, mut bad) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // The two change their names, each in one move.
            while !is_over.load(Ordering::Relaxed) {
                for (from, to) in [("real", "d"), ("d", "real"), ("link", "d"), ("d", "link")] {
                    fs::rename(project.join(from), project.join(to)).unwrap();
                }
            }
        });
        for _ in 0..20_000 {
            match read(&inside, "d/secret") {
                Ok(text) => {
                    assert_eq!(text, "inside");
                    good += 1;
                }
                Err(said) => bad += usize::from(said.contains("leads out")),
            }
            if good > 20 && bad > 20 {
                break;
            }
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert!(good > 0, "it was looked at between two moves");
}
