//! The settings of an emulator, and its start.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc;
use std::time::Duration;

use bytes::Bytes;

use crate::activity::Activity;
use crate::api::{self, CallLimit, Canned, Gateway};
use crate::cdn::{self, CdnSite, CdnStore, Shelf};
use crate::control::{self, Control};
use crate::duration::DurationText;
use crate::emulator::{Emulator, Parts};
use crate::fault::FaultQueue;
use crate::idle::Idle;
use crate::ledger::{Ledger, Records};
use crate::money::credits_from_usd;
use crate::net::{Checkpoint, Listener, Registry, Site, Stop, bind};
use crate::picture::PictureCache;
use crate::route::CONTROL;
use crate::settings::{Settings, SharedSettings};
use crate::{Billing, ErrorForm, Latency, ParseError, StartError};

/// What [`Emulator::key`] gives when every key works.
const ANY_KEY: &str = "sk-emulated";
const DEFAULT_BALANCE: &str = "1000";
const DEFAULT_BODY_CAP: usize = 1 << 20;

/// Builds an [`Emulator`]; made by [`Emulator::builder`].
#[derive(Debug, Clone)]
#[must_use = "settings do nothing until `start` or `spawn`"]
pub struct EmulatorBuilder {
    billing: Billing,
    balance: String,
    keys: Vec<String>,
    port: u16,
    settings: Settings,
    canned: Option<Bytes>,
    body_cap: usize,
}

impl Emulator {
    /// Returns a builder, to be [started](EmulatorBuilder::start) or [spawned](EmulatorBuilder::spawn).
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::new()
    }
}

impl EmulatorBuilder {
    pub(crate) fn new() -> Self {
        Self {
            billing: Billing::default(),
            balance: DEFAULT_BALANCE.to_owned(),
            keys: Vec::new(),
            port: 0,
            settings: Settings::default(),
            canned: None,
            body_cap: DEFAULT_BODY_CAP,
        }
    }

    /// Sets whether failures are charged. Default: [`Billing::Documented`].
    pub fn billing(mut self, billing: Billing) -> Self {
        self.billing = billing;
        self
    }

    /// Sets the account's balance in US dollars, as decimal text. Default: 1000.
    pub fn balance_usd(mut self, usd: impl Into<String>) -> Self {
        self.balance = usd.into();
        self
    }

    /// Adds a key that is accepted. Default: every key is accepted.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.keys.push(key.into());
        self
    }

    /// Sets the API's port. The CDN always takes a free one. Default: any free port.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Sets whether answers state their price in headers, too. Default: true.
    pub fn price_headers(mut self, price_headers: bool) -> Self {
        self.settings.price_headers = price_headers;
        self
    }

    /// Sets how long a call takes; the same call takes the same time in every run. Default: no time.
    ///
    /// The work is done and charged at once, and the answer is held back. Refusals come without delay.
    pub fn latency(mut self, latency: impl Into<Latency>) -> Self {
        self.settings.latency = Some(latency.into());
        self
    }

    /// Sets how long after its answer a call appears in `GET /v2/logs`. Default: at once.
    pub fn log_lag(mut self, lag: Duration) -> Self {
        self.settings.log_lag = DurationText(lag);
        self
    }

    /// Sets how long a picture's URL works, counted from the answer; then it answers 403. Default: as long as the
    /// emulator has room for the picture.
    pub fn url_expiry(mut self, expiry: Duration) -> Self {
        self.settings.url_expiry = Some(DurationText(expiry));
        self
    }

    /// Sets the form of the emulator's own refusals; faults have their own. Default: [`ErrorForm::Problem`].
    pub fn error_form(mut self, form: ErrorForm) -> Self {
        self.settings.error_form = form;
        self
    }

    /// Changes settings by their names, as [`Emulator::set`] does.
    ///
    /// # Errors
    /// A setting that is unknown or has a wrong value, with its field.
    pub fn set(mut self, settings: serde_json::Map<String, serde_json::Value>) -> Result<Self, ParseError> {
        self.settings = self.settings.changed(settings)?;
        Ok(self)
    }

    /// Answers every call with these bytes instead of a drawn picture. They are encoded once and not copied, for
    /// benchmarks.
    pub fn canned(mut self, picture: impl Into<Bytes>) -> Self {
        self.canned = Some(picture.into());
        self
    }

    /// Sets the largest body, in bytes, that [`Emulator::requests`] keeps. Default: 1 MiB.
    pub fn keep_bodies(mut self, bytes: usize) -> Self {
        self.body_cap = bytes;
        self
    }

    /// Starts on the current tokio runtime, whichever flavour; its I/O and time drivers must be on.
    ///
    /// # Errors
    /// A port that cannot be bound, or a balance that is not an amount.
    pub async fn start(self) -> Result<Emulator, StartError> {
        Ok(self.launch().await?.0)
    }

    /// Starts on a thread of its own, with a runtime and a clock of its own: for callers without async, and for tests
    /// that pause their clock.
    ///
    /// # Errors
    /// As [`EmulatorBuilder::start`], and a thread that cannot be started.
    pub fn spawn(self) -> Result<Emulator, StartError> {
        let (report, started) = mpsc::sync_channel(1);
        let run = move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(report.send(Err(StartError::from(error)))),
            };
            let stop = match runtime.block_on(self.launch()) {
                Ok((emulator, stop)) => {
                    // If nobody takes the emulator, its drop stops it.
                    drop(report.send(Ok(emulator)));
                    stop
                }
                Err(error) => return drop(report.send(Err(error))),
            };
            runtime.block_on(stop.asked());
            drop(stop);
            // Connections end with their tasks; a picture being drawn is not waited for.
            runtime.shutdown_background();
        };
        std::thread::Builder::new().name("gptimage-emulator".to_owned()).spawn(run)?;
        started.recv().map_err(|_| std::io::Error::other("its thread ended"))?
    }

    async fn launch(self) -> Result<(Emulator, Stop), StartError> {
        let balance = credits_from_usd(&self.balance).ok_or(StartError::Balance(self.balance))?;
        let (api_socket, cdn_socket) = (bind(self.port).await?, bind(0).await?);
        let origin = format!("http://{}", api_socket.local_addr()?);
        let cdn_url = format!("http://{}", cdn_socket.local_addr()?);
        let key = self.keys.first().map_or(ANY_KEY, String::as_str).to_owned();
        let (stopper, stop) = Stop::new();
        let activity = Activity::new();
        let registry = Registry::new(Arc::clone(&activity));
        let records = Arc::new(Records::new(self.body_cap));
        let settings = Arc::new(SharedSettings::new(self.settings));
        let store = Arc::new(CdnStore::default());
        let cdn_faults = Arc::new(FaultQueue::new());
        let cdn_site = CdnSite { faults: Arc::clone(&cdn_faults), records: Arc::clone(&records) };
        let gateway = Arc::new(Gateway {
            keys: self.keys,
            settings: Arc::clone(&settings),
            canned: self.canned.map(Canned::new),
            ledger: Arc::new(Ledger::new(self.billing, balance, Arc::clone(&activity))),
            faults: FaultQueue::new(),
            records,
            pictures: Arc::new(PictureCache::default()),
            cdn: Arc::clone(&store),
            cdn_url: cdn_url.clone(),
            connections: AtomicU64::new(0),
            log_calls: CallLimit::default(),
        });
        let (checkpoint, checkpoints) = Checkpoint::new();
        let ledger = Arc::clone(&gateway.ledger);
        let idle = Arc::new(Idle { activity, registry: Arc::clone(&registry), checkpoint, ledger });
        let (base_url, control_url) = (format!("{origin}/v1"), format!("{origin}{CONTROL}"));
        let control = Arc::new(Control {
            gateway: Arc::clone(&gateway),
            cdn_faults: Arc::clone(&cdn_faults),
            idle: Arc::clone(&idle),
            origin,
        });
        let site: Arc<dyn Site> = Arc::clone(&gateway) as _;
        let api_router = api::router(Arc::clone(&gateway)).merge(control::router(control));
        let api = Listener::new(api_socket, site, api_router, registry, stop.clone(), checkpoints);
        let cdn_router = cdn::router(Shelf { store, settings });
        // Nobody waits for the CDN's idleness.
        let (_, checkpoints) = Checkpoint::new();
        let cdn = Listener::new(
            cdn_socket,
            Arc::new(cdn_site),
            cdn_router,
            Registry::new(Activity::new()),
            stop.clone(),
            checkpoints,
        );
        tokio::spawn(api.run());
        tokio::spawn(cdn.run());
        let parts = Parts { gateway, cdn_faults, idle, stopper, base_url, cdn_url, control_url, key };
        Ok((Emulator::new(parts), stop))
    }
}
