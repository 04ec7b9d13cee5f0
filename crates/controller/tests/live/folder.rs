//! What becomes live while the folder of manifests is edited.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use compile::Settings;
use controller::{ControllerConfig, Live, Source, run};
use lifecycle::drain::drain;

use crate::running::{Now, Running, ingress, start};

#[tokio::test]
async fn an_edit_is_live_within_100_ms() {
    let run = start(&[("web.yaml", &ingress("web", "edit-0.test"))]).await;
    let mut times = Vec::new();
    for edit in 1..=20 {
        let started = Instant::now();
        run.write("web.yaml", &ingress("web", &format!("edit-{edit}.test")));
        run.until(|now| now.serves(&format!("edit-{edit}.test"))).await;
        times.push(started.elapsed());
    }
    // The quickest one: what a busy machine adds says nothing about us.
    assert!(times.iter().any(|took| *took < Duration::from_millis(100)), "{times:?}");
    assert_eq!(run.live.routes.load().generation, 21, "each edit is one publication");
}

#[tokio::test]
async fn a_folder_that_does_not_exist_at_the_start_is_an_error() {
    let config = ControllerConfig::new(Source::Folder("/nowhere/at/all".into()), Settings::default());
    let error = run(config, Live::default(), drain().1, || panic!("nothing was read"))
        .await
        .expect_err("no such folder");
    assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
}

#[tokio::test]
async fn nothing_is_published_while_nothing_changes() {
    let run =
        start(&[("web.yaml", &ingress("web", "web.test")), ("other.yaml", &ingress("other", "other.test"))])
            .await;
    run.write("web.yaml", &ingress("web", "web.test"));
    run.write("readme.txt", "not a manifest");
    run.write("other.yaml", &ingress("other", "other-2.test"));
    run.until(|now| now.serves("other-2.test")).await;
    assert_eq!(run.live.routes.load().generation, 2);
}

#[tokio::test]
async fn a_file_written_in_slow_steps_never_loses_its_route() {
    let run = start(&[("web.yaml", &ingress("web", "web.test"))]).await;
    let text = ingress("web", "web.test").replace("spec:", "# edited\nspec:") + &ingress_2();
    let mut file =
        OpenOptions::new().write(true).truncate(true).open(run.path("web.yaml")).expect("the file");
    for part in text.as_bytes().chunks(24) {
        file.write_all(part).expect("a part is written");
        let until = Instant::now() + Duration::from_millis(25);
        run.until(|now| {
            assert!(now.serves("web.test"), "lost after a part of the file");
            Instant::now() > until
        })
        .await;
    }
    drop(file);
    run.until(|now| {
        assert!(now.serves("web.test"), "lost when the file was closed");
        now.serves("second.test")
    })
    .await;
}

fn ingress_2() -> String {
    format!("---\n{}", ingress("second", "second.test"))
}

#[tokio::test]
async fn a_file_that_is_emptied_and_written_later_never_loses_its_route() {
    let run = start(&[("web.yaml", &ingress("web", "web.test"))]).await;
    run.write("web.yaml", "# soon more\n");
    run.write("other.yaml", &ingress("other", "other.test"));
    run.until(|now| now.serves("other.test")).await;
    assert!(run.now().serves("web.test"));
    run.write("web.yaml", &(ingress("web", "web.test") + &ingress_2()));
    run.until(|now| {
        assert!(now.serves("web.test"));
        now.serves("second.test")
    })
    .await;
}

#[tokio::test]
async fn a_file_that_stays_empty_takes_its_routes_away_after_a_second() {
    let run = start(&[("web.yaml", &ingress("web", "web.test"))]).await;
    let emptied = Instant::now();
    run.write("web.yaml", "");
    run.until(|now| !now.serves("web.test")).await;
    assert!(emptied.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_file_with_bad_syntax_keeps_all_it_last_gave() {
    let run = start(&[("web.yaml", &(ingress("web", "web.test") + &ingress_2()))]).await;
    run.write("web.yaml", &format!("{}---\n{{ broken", ingress("web", "new.test")));
    run.until(|now| now.has_problem("invalid-syntax")).await;
    assert!(run.now().serves("web.test") && run.now().serves("second.test") && !run.now().serves("new.test"));
    run.write("web.yaml", &ingress("web", "new.test"));
    run.until(|now| now.serves("new.test") && !now.has_problem("invalid-syntax")).await;
    assert!(!run.now().serves("second.test"));
}

#[tokio::test]
async fn a_bad_document_keeps_its_last_good_version_and_the_others_are_taken_anew() {
    let run = start(&[("web.yaml", &(ingress("web", "web.test") + &ingress_2()))]).await;
    let bad = ingress("second", "new-second.test").replace("number: 80", "number: http");
    // It also moved to another place in the file: it is known by its name.
    run.write("web.yaml", &format!("{bad}---\n{}", ingress("web", "new.test")));
    // Problems are told right after the routes are live.
    run.until(|now| now.serves("new.test") && now.has_problem("invalid-value")).await;
    assert!(run.now().serves("second.test") && !run.now().serves("web.test"));
    // Without a name it is known by its place.
    let nameless = bad.replace("name: second, ", "");
    run.write("web.yaml", &format!("{nameless}---\n{}", ingress("web", "newer.test")));
    run.until(|now| now.serves("newer.test")).await;
    assert!(run.now().serves("second.test"));
}

#[tokio::test]
async fn a_deleted_file_takes_its_routes_away_and_a_renamed_one_keeps_them() {
    let run = start(&[("a.yaml", &ingress("a", "a.test")), ("b.yaml", &ingress("b", "b.test"))]).await;
    fs::rename(run.path("a.yaml"), run.path("z.yaml")).expect("renamed");
    fs::remove_file(run.path("b.yaml")).expect("removed");
    run.until(|now| {
        assert!(now.serves("a.test") && !now.has_problem("duplicate-object"));
        !now.serves("b.test")
    })
    .await;
    let until = Instant::now() + Duration::from_millis(100);
    run.until(|now| {
        assert!(now.serves("a.test") && !now.has_problem("duplicate-object"));
        Instant::now() > until
    })
    .await;
}

#[tokio::test]
async fn an_editor_that_replaces_the_file_never_loses_its_route() {
    let run = start(&[("web.yaml", &ingress("web", "web.test"))]).await;
    for edit in 0..20 {
        // As vim does it: the old file becomes a backup, the new one is written, the backup goes.
        fs::rename(run.path("web.yaml"), run.path("web.yaml~")).expect("a backup");
        run.pause_watching(|now| assert!(now.serves("web.test")), Duration::from_millis(5)).await;
        run.write(
            "web.yaml",
            &(ingress("web", "web.test") + &format!("---\n{}", ingress("e", &format!("e{edit}.test")))),
        );
        fs::remove_file(run.path("web.yaml~")).expect("the backup goes");
        run.until(|now| {
            assert!(now.serves("web.test"));
            now.serves(&format!("e{edit}.test"))
        })
        .await;
    }
}

#[tokio::test]
async fn a_file_moved_into_place_is_live() {
    let run = start(&[("web.yaml", &ingress("web", "web.test"))]).await;
    run.write(".web.yaml.tmp", &ingress("web", "moved.test"));
    fs::rename(run.path(".web.yaml.tmp"), run.path("web.yaml")).expect("moved");
    run.until(|now| now.serves("moved.test")).await;
}

#[tokio::test]
async fn files_in_new_sub_folders_are_live_and_go_with_them() {
    let run = start(&[]).await;
    fs::create_dir_all(run.path("team/a/b")).expect("folders");
    run.write("team/a/b/web.yaml", &ingress("web", "deep.test"));
    run.until(|now| now.serves("deep.test")).await;
    // The new folder is watched, too.
    is_watched(&run, "team/a/b/web.yaml").await;
    fs::remove_dir_all(run.path("team")).expect("removed");
    run.until(|now| !now.serves("edit-2.test")).await;
}

#[tokio::test]
async fn a_config_map_mount_is_read_once_and_its_swap_is_live() {
    let run = start(&[]).await;
    let version = |name: &str, host: &str| {
        fs::create_dir(run.path(name)).expect("a version");
        run.write(&format!("{name}/web.yaml"), &ingress("web", host));
    };
    version("..2026_01", "one.test");
    symlink("..2026_01", run.path("..data")).expect("a link");
    symlink("..data/web.yaml", run.path("web.yaml")).expect("a link");
    run.until(|now| now.serves("one.test")).await;
    assert!(!run.now().has_problem("duplicate-object"));
    version("..2026_02", "two.test");
    symlink("..2026_02", run.path("..data_tmp")).expect("a link");
    fs::rename(run.path("..data_tmp"), run.path("..data")).expect("the swap");
    fs::remove_dir_all(run.path("..2026_01")).expect("the old version goes");
    run.until(|now| {
        assert!(now.serves("one.test") || now.serves("two.test"));
        now.serves("two.test")
    })
    .await;
}

#[tokio::test]
async fn a_folder_that_vanishes_keeps_its_routes_and_one_that_comes_back_is_read() {
    let run = start(&[("web.yaml", &ingress("web", "web.test"))]).await;
    let away = run.dir.path().join("away");
    fs::rename(run.path(""), &away).expect("moved away");
    run.until(|now| now.has_problem("unreadable-file")).await;
    assert!(run.now().serves("web.test"));
    fs::create_dir(run.path("")).expect("an empty folder in its place");
    run.until(|now| now.told().iter().any(|problem| problem.contains("another folder stands in its place")))
        .await;
    assert!(run.now().serves("web.test"));
    run.write("web.yaml", &ingress("web", "back.test"));
    run.until(|now| now.serves("back.test") && !now.has_problem("unreadable-file")).await;
    // The new folder is the one that is watched.
    is_watched(&run, "web.yaml").await;
}

/// Three edits that are only found by looking, every two seconds, take at least four in all.
async fn is_watched(run: &Running, file: &str) {
    let mut took = Vec::new();
    for edit in 0..3 {
        let started = Instant::now();
        run.write(file, &ingress("web", &format!("edit-{edit}.test")));
        run.until(|now| now.serves(&format!("edit-{edit}.test"))).await;
        took.push(started.elapsed());
    }
    assert!(
        took.iter().sum::<Duration>() < Duration::from_secs(4),
        "found by looking, not by watching: {took:?}"
    );
}

#[tokio::test]
async fn a_file_that_cannot_be_read_keeps_its_routes() {
    let run = start(&[("web.yaml", &ingress("web", "web.test"))]).await;
    // A link that leads nowhere: permissions do not keep root from reading.
    symlink("nowhere.yaml", run.path("link")).expect("a link");
    fs::rename(run.path("link"), run.path("web.yaml")).expect("moved");
    run.until(|now| now.has_problem("unreadable-file")).await;
    assert!(run.now().serves("web.test"));
}

#[tokio::test]
async fn two_thousand_files_are_read_and_an_edit_among_them_is_live() {
    let files: Vec<(String, String)> = (0..2000)
        .map(|n| (format!("team-{}/{n}.yaml", n % 40), ingress(&format!("web-{n}"), &format!("h{n}.test"))))
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let run = start(&files).await;
    assert_eq!(run.live.routes.load().routes().len(), 2000);
    let started = Instant::now();
    run.write("team-7/1007.yaml", &ingress("web-1007", "edited.test"));
    run.until(|now| now.serves("edited.test")).await;
    println!("an edit of one of 2000 files is live after {:?}", started.elapsed());
    assert!(!run.now().serves("h1007.test"));
}

impl Running {
    async fn pause_watching(&self, check: impl Fn(&Now), time: Duration) {
        let until = Instant::now() + time;
        self.until(|now| {
            check(now);
            Instant::now() > until
        })
        .await;
    }
}
