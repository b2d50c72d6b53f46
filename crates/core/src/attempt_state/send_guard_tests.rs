use tokio::time::Instant;

use super::{InputError, SendGuard};

#[test]
fn the_count_is_final_once_the_guard_is_closed() {
    let guard = SendGuard::new(10);
    assert!(guard.pass(4) && guard.pass(3));
    assert_eq!((guard.progress().handed, guard.progress().total), (7, 10));
    assert!(!guard.progress().is_whole());
    assert_eq!(guard.close().handed, 7);
    assert!(!guard.pass(3), "nothing passes any more");
    assert_eq!(guard.progress().handed, 7);
}

#[test]
fn a_whole_body_leaves_the_guard_as_it_is() {
    let guard = SendGuard::new(10);
    assert!(guard.pass(10));
    assert!(guard.close_unless_whole().is_whole());
    // An empty piece after the last one must not fail a complete upload.
    assert!(guard.pass(0));

    let guard = SendGuard::new(10);
    assert!(guard.pass(9));
    assert!(!guard.close_unless_whole().is_whole());
    assert!(!guard.pass(1), "one byte less is not whole, and stays so");
}

#[test]
fn an_input_that_fails_closes_the_guard_and_is_remembered() {
    let guard = SendGuard::new(10);
    assert_eq!(guard.input_error(), None);
    let failure = InputError::Changed("a.png".to_owned());
    guard.fail(failure.clone());
    assert_eq!(guard.input_error(), Some(failure));
    assert!(!guard.pass(1));
}

#[test]
fn it_knows_when_it_began_and_when_bytes_moved() {
    let guard = SendGuard::new(10);
    let made = guard.progress();
    assert!(!made.started);
    wait_for_the_clock(made.moved);
    guard.start();
    let began = guard.progress();
    assert!(began.started && began.moved > made.moved);
    wait_for_the_clock(began.moved);
    guard.start();
    assert_eq!(guard.progress().moved, began.moved, "asked again, it began when it began");
    guard.pass(1);
    assert!(guard.progress().moved > began.moved);
}

fn wait_for_the_clock(past: Instant) {
    while Instant::now() <= past {
        std::hint::spin_loop();
    }
}
