use tokio::time::Instant;

use super::{Gate, InputFailure};

#[test]
fn the_count_is_final_once_the_gate_is_closed() {
    let gate = Gate::new(10);
    assert!(gate.pass(4) && gate.pass(3));
    assert_eq!((gate.look().handed, gate.look().total), (7, 10));
    assert!(!gate.look().is_whole());
    assert_eq!(gate.close().handed, 7);
    assert!(!gate.pass(3), "nothing passes any more");
    assert_eq!(gate.look().handed, 7);
}

#[test]
fn a_whole_body_leaves_the_gate_as_it_is() {
    let gate = Gate::new(10);
    assert!(gate.pass(10));
    assert!(gate.close_unless_whole().is_whole());
    // An empty piece after the last one is no reason to fail a whole upload.
    assert!(gate.pass(0));

    let gate = Gate::new(10);
    assert!(gate.pass(9));
    assert!(!gate.close_unless_whole().is_whole());
    assert!(!gate.pass(1), "one byte less is not whole, and stays so");
}

#[test]
fn an_input_that_fails_closes_the_gate_and_is_remembered() {
    let gate = Gate::new(10);
    assert_eq!(gate.failure(), None);
    let failure = InputFailure::Changed("a.png".to_owned());
    gate.fail(failure.clone());
    assert_eq!(gate.failure(), Some(failure));
    assert!(!gate.pass(1));
}

#[test]
fn it_knows_when_it_began_and_when_bytes_moved() {
    let gate = Gate::new(10);
    let made = gate.look();
    assert!(!made.started);
    wait_for_the_clock(made.moved);
    gate.start();
    let began = gate.look();
    assert!(began.started && began.moved > made.moved);
    wait_for_the_clock(began.moved);
    gate.start();
    assert_eq!(gate.look().moved, began.moved, "asked again, it began when it began");
    gate.pass(1);
    assert!(gate.look().moved > began.moved);
}

fn wait_for_the_clock(past: Instant) {
    while Instant::now() <= past {
        std::hint::spin_loop();
    }
}
