//! Why requests led where they did, asked on another thread: it is asked of the file system, while who records takes
//! bytecode.
//!
//! Invariant: the thread has ended when `finish` has returned, or the value was dropped.

use super::facts::Today;
use super::search::{self, Question};
use super::walk::Walk;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// The key of a question, and its entry: see `search::entry`.
pub type Answered = (Vec<u8>, Option<Option<Vec<u8>>>);

type Asked = (Vec<u8>, Question);

/// See the module's head.
#[derive(Debug)]
pub struct Asking {
    to: Option<Sender<Vec<Asked>>>,
    thread: Option<JoinHandle<Vec<Answered>>>,
    /// Not sent yet: waking a thread for each takes longer than asking.
    waiting: Vec<Asked>,
}

/// How many are sent at once.
const RUN: usize = 32;

impl Asking {
    /// Begins.
    #[must_use]
    pub fn start() -> Self {
        let (to, questions) = channel();
        let thread = std::thread::Builder::new().name("warmshard-ask".into());
        let thread = thread.spawn(move || answer(&questions)).ok();
        Asking { to: Some(to), thread, waiting: Vec::new() }
    }

    /// Has one answered.
    pub fn ask(&mut self, key: Vec<u8>, question: Question) {
        self.waiting.push((key, question));
        if self.waiting.len() >= RUN
            && let Some(to) = &self.to
            && let Err(refused) = to.send(std::mem::take(&mut self.waiting))
        {
            (self.to, self.waiting) = (None, refused.0);
        }
    }

    /// The answers, in the order of the questions; none where the thread has failed.
    #[must_use]
    pub fn finish(mut self) -> Vec<Answered> {
        self.to = None;
        let mut answers =
            self.thread.take().map(|thread| thread.join().unwrap_or_default()).unwrap_or_default();
        let (mut today, mut walk) = (Today::default(), Walk::default());
        let late = std::mem::take(&mut self.waiting);
        answers.extend(late.into_iter().map(|asked| one(asked, &mut today, &mut walk)));
        answers
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.to = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn answer(questions: &Receiver<Vec<Asked>>) -> Vec<Answered> {
    let (mut today, mut walk) = (Today::default(), Walk::default());
    questions.iter().flatten().map(|asked| one(asked, &mut today, &mut walk)).collect()
}

fn one((key, question): Asked, today: &mut Today, walk: &mut Walk) -> Answered {
    (key, question.put(|request, search, more| search::entry(request, search, more, today, walk)))
}
