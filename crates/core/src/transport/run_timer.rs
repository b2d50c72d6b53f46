//! Timers for silence that only count time in which this process was running. After a stop (SIGSTOP, a sleeping laptop,
//! a frozen container) the peer's response may be waiting in the socket, so the socket is checked once more before a
//! timer expires.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// Maximum interval between two checks of the clock.
const TICK_LONGEST: Duration = Duration::from_secs(5);
/// Number of ticks in a timer.
const TICKS: u32 = 8;
/// A tick that is late by this much shows that the process was not running.
const LATE: Duration = Duration::from_millis(500);
/// After this many late ticks in a row, the machine is considered slow rather than stopped.
const LATE_MOST: u32 = 3;

/// The elapsed part of a timer.
#[derive(Debug)]
struct Count {
    limit: Duration,
    tick: Duration,
    counted: Duration,
    late: u32,
}

impl Count {
    /// Counts the time since the last tick. Returns whether the timer has expired. A stop of the process counts as one
    /// tick, and the timer does not expire before another tick.
    fn step(&mut self, passed: Duration) -> bool {
        let late = passed > self.tick.saturating_mul(2).max(self.tick + LATE);
        self.counted = self.counted.saturating_add(if late { self.tick } else { passed });
        self.late = if late { self.late + 1 } else { 0 };
        self.counted >= self.limit && (!late || self.late >= LATE_MOST)
    }

    /// Returns the time until the next tick.
    fn pause(&self) -> Duration {
        self.limit.saturating_sub(self.counted).clamp(Duration::from_millis(1), self.tick)
    }
}

/// A timer that [`RunTimer::restart`] resets.
#[derive(Debug)]
pub(crate) struct RunTimer {
    count: Count,
    last: Instant,
    sleep: Pin<Box<Sleep>>,
}

impl RunTimer {
    pub(crate) fn new(limit: Duration) -> Self {
        Self::with_tick(limit, (limit / TICKS).min(TICK_LONGEST))
    }

    /// Creates a timer that checks the clock at this interval.
    pub(crate) fn with_tick(limit: Duration, tick: Duration) -> Self {
        let tick = tick.max(Duration::from_millis(1));
        let count = Count { limit, tick, counted: Duration::ZERO, late: 0 };
        let sleep = Box::pin(sleep(count.pause()));
        Self { count, last: Instant::now(), sleep }
    }

    /// Restarts the timer.
    pub(crate) fn restart(&mut self) {
        self.count.counted = Duration::ZERO;
        self.last = Instant::now();
    }

    /// Waits for a tick. Returns whether the timer has expired. Cancel-safe.
    pub(crate) async fn tick(&mut self) -> bool {
        self.sleep.as_mut().await;
        let now = Instant::now();
        let ran_out = self.count.step(now.saturating_duration_since(self.last));
        self.last = now;
        self.sleep.as_mut().reset(now + self.count.pause());
        ran_out
    }

    /// Waits until the timer has expired. Cancel-safe.
    pub(crate) async fn ran_out(&mut self) {
        while !self.tick().await {}
    }
}

/// Sleeps until `until`. If the process was not running at that time, sleeps a little longer, so that data that has
/// arrived can be read first.
pub(crate) async fn sleep_until_heard(until: Instant) {
    const LISTEN_LONGEST: Duration = Duration::from_secs(2);
    tokio::time::sleep_until(until).await;
    let late = until.elapsed();
    if late > LATE {
        sleep(late.min(LISTEN_LONGEST)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(limit: u64, tick: u64) -> Count {
        let seconds = Duration::from_secs;
        Count { limit: seconds(limit), tick: seconds(tick), counted: Duration::ZERO, late: 0 }
    }

    #[test]
    fn silence_runs_out_after_its_limit() {
        let mut count = count(80, 5);
        let steps = (1..).find(|_| count.step(Duration::from_secs(5)));
        assert_eq!(steps, Some(16));
    }

    #[test]
    fn a_stop_counts_as_one_tick_and_is_followed_by_another_look() {
        let mut count = count(80, 5);
        for _ in 0..15 {
            assert!(!count.step(count.pause()));
        }
        assert!(!count.step(Duration::from_secs(3600)), "one more look");
        assert!(count.step(count.pause()));
    }

    #[test]
    fn a_machine_that_is_always_late_comes_to_an_end() {
        let mut count = count(80, 5);
        let steps = (1..).find(|_| count.step(Duration::from_secs(60)));
        assert_eq!(steps, Some(16));
    }

    #[tokio::test]
    async fn news_put_it_off() {
        let mut timer = RunTimer::new(Duration::from_millis(80));
        for _ in 0..30 {
            assert!(!timer.tick().await);
            timer.restart();
        }
        timer.ran_out().await;
    }
}
