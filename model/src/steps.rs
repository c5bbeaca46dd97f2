//! What can happen next in a state, and what it does.

use std::fmt;

use retake_core::{
    api::{ApiError, ErrorKind, RerunAnswer},
    supervise::{Input, Role, SeatInput},
};

use crate::{
    bounds::{Misfortune, Scene},
    browser::{Answer, Leaving, LockNews, Mail, TABS},
    marks::Case,
    server::{BATCH, By, Shows, bits_of, counter},
    world::{Post, World},
};

/// The client gives up on a POST this long after it left, in milliseconds.
const GIVES_UP: i64 = 30_000;
/// A request may still be applied this long after it left: until the client
/// gives up, and a minute more (`Limits::settle`).
const LATEST: i64 = 90_000;

/// How a rerun leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// It arrives at once.
    Plain,
    /// It arrives later, and its answer reaches nobody.
    Late,
    /// It never arrives.
    Lost,
}

/// One step of the model. Tabs are numbered from 0.
// Each is worded below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    RunEnds(u8),
    CleanedUp,
    OtherReruns,
    OtherCancels,
    PostArrives(usize),
    ReadAnswered(usize),
    ReadLost(usize),
    PostAnswered(usize),
    AnswerLost(usize),
    Written(usize),
    EpochRead(usize),
    Leaves(usize, Way),
    EpochChecked(usize),
    Loaded(usize),
    LockNews(usize),
    Mail(usize),
    Wakes(usize),
    TimePasses,
    TabOpens(usize),
    TakesOver(usize),
    Freezes(usize),
    Thaws(usize),
    Crashes(usize),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RunEnds(0) => f.write_str("server: the run ends, nothing fails"),
            Self::RunEnds(fails) => write!(f, "server: the run ends, tests {fails:03b} fail"),
            Self::CleanedUp => f.write_str("server: the clean-up is over"),
            Self::OtherReruns => f.write_str("another person: reruns every test"),
            Self::OtherCancels => f.write_str("another person: cancels the batch"),
            Self::PostArrives(post) => write!(f, "server: POST {post} of those under way arrives"),
            Self::ReadAnswered(tab) => write!(f, "tab {tab}: its question is answered"),
            Self::ReadLost(tab) => write!(f, "tab {tab}: the answer to its question is LOST"),
            Self::PostAnswered(tab) => write!(f, "tab {tab}: its POST is answered"),
            Self::AnswerLost(tab) => write!(f, "tab {tab}: the answer to its POST is LOST"),
            Self::Written(tab) => write!(f, "tab {tab}: the next line goes to the journal"),
            Self::EpochRead(tab) => write!(f, "tab {tab}: the journal is asked before the POST"),
            Self::Leaves(tab, Way::Plain) => write!(f, "tab {tab}: the POST leaves"),
            Self::Leaves(tab, Way::Late) => write!(f, "tab {tab}: the POST leaves, and is LATE"),
            Self::Leaves(tab, Way::Lost) => write!(f, "tab {tab}: the POST leaves, and is LOST"),
            Self::EpochChecked(tab) => write!(f, "tab {tab}: the journal is asked who acts"),
            Self::Loaded(tab) => write!(f, "tab {tab}: the journal is loaded"),
            Self::LockNews(tab) => write!(f, "tab {tab}: hears of the lock"),
            Self::Mail(tab) => write!(f, "tab {tab}: hears the other tab"),
            Self::Wakes(tab) => write!(f, "tab {tab}: its timer fires"),
            Self::TimePasses => f.write_str("time passes"),
            Self::TabOpens(tab) => write!(f, "tab {tab}: OPENS"),
            Self::TakesOver(tab) => write!(f, "tab {tab}: a person TAKES OVER here"),
            Self::Freezes(tab) => write!(f, "tab {tab}: FREEZES"),
            Self::Thaws(tab) => write!(f, "tab {tab}: thaws"),
            Self::Crashes(tab) => write!(f, "tab {tab}: CRASHES, and is loaded again"),
        }
    }
}

impl World {
    /// Every step that is possible here.
    pub(crate) fn steps(&self, into: &mut Vec<Step>) {
        if self.broken != 0 {
            // What comes after a broken promise tells nothing more.
            return;
        }
        let over = self.store.is_over();
        let two = matches!(self.scene, Scene::TwoTabs | Scene::Freeze);
        if two && !self.tabs[1].open && !self.store.lines.is_empty() {
            into.push(Step::TabOpens(1));
            return;
        }
        self.steps_of_server(over, into);
        for tab in 0..TABS {
            // Once it has ended, a tab without a machine does nothing any more.
            let concerned = !over || self.tabs[tab].machine.is_some();
            if self.tabs[tab].is_awake() && concerned {
                self.steps_of_tab(tab, into);
            }
            if self.tabs[tab].frozen.is_some() && concerned {
                into.push(Step::Thaws(tab));
            }
            if !over {
                self.mishaps_of_tab(tab, into);
            }
        }
        let waits = !self.is_urgent() && !over;
        if waits && self.next_time().is_some() {
            into.push(Step::TimePasses);
        }
    }

    fn steps_of_server(&self, over: bool, into: &mut Vec<Step>) {
        let watched = self.is_watched();
        for (index, post) in self.posts.iter().enumerate() {
            let due = post.late.is_none_or(|until| over || until <= self.now);
            if due || watched {
                into.push(Step::PostArrives(index));
            }
        }
        if !watched {
            return;
        }
        if self.server.view().shows == Shows::Running {
            // The launch ends before the first read, or never.
            let ends = self.server.runs.len() > 1 || self.now == 0;
            let ends = if ends { self.server.ends() } else { &[] };
            into.extend(ends.iter().map(|fails| Step::RunEnds(*fails)));
        }
        if self.server.cleaning && self.is_posting() {
            into.push(Step::CleanedUp);
        }
        if self.left.has(Misfortune::OtherPerson) && !over {
            if self.server.view().shows == Shows::Running {
                into.push(Step::OtherCancels);
            } else if self.server.is_free() {
                into.push(Step::OtherReruns);
            }
        }
    }

    fn steps_of_tab(&self, tab: usize, into: &mut Vec<Step>) {
        let it = &self.tabs[tab];
        let loses = self.left.has(Misfortune::LostAnswer);
        if !it.backlog.is_empty() {
            into.push(Step::Written(tab));
        }
        self.news_of_tab(tab, into);
        if self.tabs.iter().any(|tab| tab.is_awake() && tab.has_news()) {
            // Within a browser everything is quicker than the network and timers;
            // what is not is a frozen tab.
            self.steps_of_leaving(tab, into);
            return;
        }
        if it.question.is_some() {
            into.push(Step::ReadAnswered(tab));
            if loses && self.is_rerunning(tab) {
                into.push(Step::ReadLost(tab));
            }
        }
        if let Some((_, answer)) = it.answer {
            into.push(Step::PostAnswered(tab));
            if loses && matches!(answer, Answer::Run(_) | Answer::Busy) {
                into.push(Step::AnswerLost(tab));
            }
        }
        self.steps_of_leaving(tab, into);
        if it.machine.is_some() && it.wake.is_some_and(|at| at <= self.now) {
            into.push(Step::Wakes(tab));
        }
    }

    /// The way of a rerun out of the browser.
    fn steps_of_leaving(&self, tab: usize, into: &mut Vec<Step>) {
        let loses = self.left.has(Misfortune::LostAnswer);
        match &self.tabs[tab].leaving {
            Some(Leaving { cleared: true, .. }) => {
                into.push(Step::Leaves(tab, Way::Plain));
                if self.left.has(Misfortune::LateRequest) {
                    into.push(Step::Leaves(tab, Way::Late));
                }
                if loses {
                    into.push(Step::Leaves(tab, Way::Lost));
                }
            }
            Some(Leaving { asked: Some(_), .. }) => into.push(Step::EpochRead(tab)),
            _ => {}
        }
    }

    /// What a tab hears of journal, lock and the other tab.
    fn news_of_tab(&self, tab: usize, into: &mut Vec<Step>) {
        let it = &self.tabs[tab];
        if it.checking {
            into.push(Step::EpochChecked(tab));
        }
        if it.loading {
            into.push(Step::Loaded(tab));
        }
        if !it.lock_news.is_empty() {
            into.push(Step::LockNews(tab));
        }
        // A message that would stop this tab: at any time before the clock moves
        // on, the news of the lock does the same, so this comes last.
        let rest = it.backlog.is_empty() && it.question.is_none() && it.answer.is_none();
        if !it.mail.is_empty() && it.lock_news.is_empty() && rest && it.leaving.is_none() {
            into.push(Step::Mail(tab));
        }
    }

    fn mishaps_of_tab(&self, tab: usize, into: &mut Vec<Step>) {
        let it = &self.tabs[tab];
        let holds = matches!(self.role(tab), Some(Role::Acting | Role::Loading));
        let rerunning = (0..TABS).any(|tab| self.is_rerunning(tab))
            || self
                .store
                .state
                .as_ref()
                .is_some_and(|it| it.open.is_some());
        if !rerunning && !self.left.anywhere {
            return;
        }
        let both = self.tabs.iter().all(|tab| tab.open);
        if both && self.left.has(Misfortune::Theft) && it.is_awake() {
            match self.role(tab) {
                Some(Role::Mirroring) => into.push(Step::TakesOver(tab)),
                Some(Role::Acting) if self.scene == Scene::Freeze && it.leaving.is_some() => {
                    into.push(Step::Freezes(tab));
                }
                _ => {}
            }
        }
        if holds && self.left.has(Misfortune::Crash) {
            into.push(Step::Crashes(tab));
        }
    }

    /// Whether a tab has a rerun on its way.
    fn is_rerunning(&self, tab: usize) -> bool {
        let machine = self.tabs[tab].machine.as_ref();
        machine.is_some_and(|machine| machine.it.submission().is_some())
    }

    /// Does one step, and all that follows from it without a choice.
    pub(crate) fn take(&mut self, step: Step) {
        self.step(step);
        while let Some(tab) = (0..TABS).find(|tab| self.hears_at_once(*tab)) {
            self.hear(tab);
        }
    }

    /// A message that changes no more than what a tab knows of the other one may
    /// as well be heard at once. One that would stop an acting tab may be late.
    fn hears_at_once(&self, tab: usize) -> bool {
        let acts = self.role(tab) == Some(Role::Acting);
        let it = &self.tabs[tab];
        it.is_awake()
            && match it.mail.front() {
                None => false,
                Some(Mail::Beat { epoch, .. }) => !acts || *epoch <= it.epoch,
                Some(Mail::Ask { .. }) => true,
                Some(Mail::Ended) => !acts,
            }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::RunEnds(fails) => self.server.finish(fails),
            Step::CleanedUp => self.server.cleaning = false,
            Step::OtherReruns => {
                self.left.take(Misfortune::OtherPerson);
                self.meet(Case::OtherReran);
                self.server.rerun(crate::server::ALL, By::Other);
            }
            Step::OtherCancels => {
                self.left.take(Misfortune::OtherPerson);
                self.meet(Case::OtherCancelled);
                self.server.cancel();
            }
            Step::PostArrives(index) => self.post_arrives(index),
            Step::ReadAnswered(tab) => self.read_answered(tab),
            Step::ReadLost(tab) => {
                self.left.take(Misfortune::LostAnswer);
                self.meet(Case::ReadLost);
                if let Some(question) = self.tabs[tab].question.take() {
                    let error = unreachable("read");
                    let input = if question.tests {
                        Input::TestsRead(question.call, Err(error))
                    } else {
                        Input::BatchRead(question.call, Err(error))
                    };
                    self.feed(tab, input);
                }
            }
            Step::PostAnswered(tab) => self.post_answered(tab),
            Step::AnswerLost(tab) => {
                self.left.take(Misfortune::LostAnswer);
                if let Some((_, answer)) = &mut self.tabs[tab].answer {
                    let before = std::mem::replace(answer, Answer::Unreachable);
                    if matches!(before, Answer::Run(_)) {
                        self.meet(Case::AnswerLost);
                    }
                }
                self.post_answered(tab);
            }
            Step::Written(tab) => self.write(tab),
            Step::EpochRead(tab) => self.epoch_read(tab),
            Step::Leaves(tab, way) => self.leaves(tab, way),
            Step::EpochChecked(tab) => {
                self.tabs[tab].checking = false;
                let epoch = self.store.epoch;
                self.sit(tab, SeatInput::EpochIs { epoch });
            }
            Step::Loaded(tab) => {
                self.tabs[tab].loading = false;
                let over = self.store.is_over();
                let epoch = self.store.epoch;
                self.sit(tab, SeatInput::JournalLoaded { epoch, over });
            }
            Step::LockNews(tab) => {
                if let Some(news) = self.tabs[tab].lock_news.pop_front() {
                    let input = match news {
                        LockNews::Granted => SeatInput::LockGranted,
                        LockNews::Taken => SeatInput::LockTaken,
                        LockNews::Lost => SeatInput::LockLost,
                    };
                    self.sit(tab, input);
                }
            }
            Step::Mail(tab) => self.hear(tab),
            Step::Wakes(tab) => {
                self.tabs[tab].wake = None;
                self.feed(tab, Input::Wake);
            }
            Step::TimePasses => self.pass(),
            Step::TabOpens(tab) => self.open(tab),
            Step::TakesOver(tab) => {
                self.left.take(Misfortune::Theft);
                self.meet(Case::TakenOver);
                self.sit(tab, SeatInput::TakeOver);
            }
            Step::Freezes(tab) => {
                self.left.take(Misfortune::Theft);
                self.tabs[tab].frozen = Some(self.now);
            }
            Step::Thaws(tab) => {
                self.tabs[tab].frozen = None;
                self.tabs[tab].thawed = self.now;
            }
            Step::Crashes(tab) => {
                self.left.take(Misfortune::Crash);
                if self
                    .store
                    .state
                    .as_ref()
                    .is_some_and(|it| it.open.is_some())
                {
                    self.meet(Case::Crashed);
                }
                self.crash(tab);
            }
        }
    }

    fn hear(&mut self, tab: usize) {
        if let Some(mail) = self.tabs[tab].mail.pop_front() {
            let input = match mail {
                Mail::Beat { epoch, idle } => SeatInput::Heard { epoch, idle },
                Mail::Ask { able } => SeatInput::Asked { able },
                Mail::Ended => SeatInput::Ended,
            };
            self.sit(tab, input);
        }
    }

    fn read_answered(&mut self, tab: usize) {
        let Some(question) = self.tabs[tab].question.take() else {
            return;
        };
        if question.tests {
            let tests = self.server.tests();
            return self.feed(tab, Input::TestsRead(question.call, Ok(tests)));
        }
        let read = (self.server.view(), question.sent, self.now);
        if let Some(machine) = &mut self.tabs[tab].machine {
            std::sync::Arc::make_mut(machine).read = Some(read);
        }
        let batch = Box::new(self.server.batch());
        self.feed(tab, Input::BatchRead(question.call, Ok(batch)));
    }

    // The rerun.

    fn leaves(&mut self, tab: usize, way: Way) {
        let Some(leaving) = self.may_leave(tab) else {
            return;
        };
        let (decision, decided_on) = self.check_send(tab, &leaving);
        let late = match way {
            Way::Plain => None,
            Way::Late => {
                self.left.take(Misfortune::LateRequest);
                self.tabs[tab].gives_up = Some((self.now + GIVES_UP, leaving.call));
                Some(self.now + LATEST)
            }
            Way::Lost => {
                self.left.take(Misfortune::LostAnswer);
                self.meet(Case::RequestLost);
                self.tabs[tab].answer = Some((leaving.call, Answer::Unreachable));
                return;
            }
        };
        let it = &self.tabs[tab];
        self.posts.push(Post {
            decision,
            decided_on,
            tests: bits_of(leaving.intent.request.scope.tests()),
            tab,
            life: it.life,
            machine: it.machine.as_ref().map_or(0, |machine| machine.number),
            call: leaving.call,
            late,
        });
    }

    fn post_arrives(&mut self, index: usize) {
        let post = self.posts.remove(index);
        let by = By::Us(u8::try_from(post.decision).expect("few decisions"));
        let applied = self.server.rerun(post.tests, by);
        match (applied, post.late) {
            (true, Some(_)) => self.meet(Case::LateApplied),
            (false, Some(_)) => self.meet(Case::LateBusy),
            (false, None) => self.meet(Case::Busy),
            (true, None) => {}
        }
        if applied {
            self.check_applied(post.decision, post.decided_on);
        }
        let answer = match post.late {
            // The client has given up, or will.
            Some(_) => return,
            None if applied => Answer::Run(self.server.runs.len() - 1),
            None => Answer::Busy,
        };
        // It sets out to the machine that sent the POST, if that is still there.
        let it = &mut self.tabs[post.tab];
        let number = it.machine.as_ref().map(|machine| machine.number);
        if it.life == post.life && number == Some(post.machine) {
            it.answer = Some((post.call, answer));
        }
    }

    fn post_answered(&mut self, tab: usize) {
        let Some((call, answer)) = self.tabs[tab].answer.take() else {
            return;
        };
        let error = |kind, why| Err(ApiError::new("rerun the tests", kind, why));
        let answer = match answer {
            Answer::Run(run) => Ok(RerunAnswer {
                batch_id: Some(BATCH),
                run_counter: Some(counter(run)),
                test_ids: Vec::new(),
            }),
            Answer::Busy => error(ErrorKind::Busy, "cleaning up"),
            Answer::Unreachable => Err(unreachable("rerun the tests")),
            Answer::TimedOut => error(ErrorKind::TimedOut, "no answer"),
        };
        self.feed(tab, Input::RerunAnswered(call, answer));
    }

    // Time.

    /// The clock jumps to the next timer. On the way the tabs show each other that
    /// they live, which takes no time here.
    fn pass(&mut self) {
        let Some(target) = self.next_time() else {
            return;
        };
        loop {
            let awake = (0..TABS).filter(|tab| self.tabs[*tab].is_awake());
            let next = awake
                .filter_map(|tab| Some((self.tabs[tab].seat_wake?, tab)))
                .min()
                .filter(|(at, _)| *at <= target);
            let Some((at, tab)) = next else { break };
            self.now = self.now.max(at);
            self.tabs[tab].seat_wake = None;
            self.sit(tab, SeatInput::Wake);
            while let Some(tab) = (0..TABS).find(|tab| self.hears_at_once(*tab)) {
                self.hear(tab);
            }
            if self.is_urgent() {
                return;
            }
        }
        self.now = self.now.max(target);
        for tab in &mut self.tabs {
            if let Some((_, call)) = tab.gives_up.take_if(|(at, _)| *at <= self.now) {
                tab.answer = Some((call, Answer::TimedOut));
            }
        }
    }
}

fn unreachable(what: &str) -> ApiError {
    ApiError::new(what, ErrorKind::Unreachable, "the network dropped it")
}
