//! The JSON form of faults of downloads.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::content::Content;
use super::spec::{CutSpec, PauseSpec, RawSpec, Status, Times};
use super::{CdnAction, CdnFault};

/// The JSON form of a [`CdnFault`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object such as {\"status\": 404, \"times\": 2}")]
pub(crate) struct CdnFaultSpec {
    status: Option<Status>,
    redirect: Option<String>,
    body: Option<Content>,
    #[serde(default)]
    ignore_range: bool,
    wrong_range: Option<u64>,
    raw: Option<RawSpec>,
    cut: Option<CutSpec>,
    #[serde(default)]
    pauses: Vec<PauseSpec>,
    #[serde(default)]
    times: Times,
}

impl<'de> Deserialize<'de> for CdnFault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        CdnFaultSpec::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}

impl TryFrom<CdnFaultSpec> for CdnFault {
    type Error = String;

    fn try_from(spec: CdnFaultSpec) -> Result<Self, String> {
        let mut actions: Vec<(&str, CdnAction)> = Vec::new();
        actions.extend(spec.status.map(|status| ("status", CdnAction::Status(status.0))));
        actions.extend(spec.redirect.map(|url| ("redirect", CdnAction::Redirect(url))));
        actions.extend(spec.body.map(|content| ("body", CdnAction::Body(content.0))));
        actions.extend(spec.ignore_range.then_some(("ignore_range", CdnAction::IgnoreRange)));
        actions.extend(spec.wrong_range.map(|shift| ("wrong_range", CdnAction::WrongRange(shift))));
        actions.extend(spec.raw.is_some().then_some(("raw", CdnAction::Serve)));
        if let [(first, _), (second, _), ..] = actions.as_slice() {
            return Err(format!("`{first}` and `{second}` exclude each other: give two faults"));
        }
        let action = match (actions.pop(), spec.cut.is_some() || !spec.pauses.is_empty()) {
            (Some((_, action)), _) => action,
            (None, true) => CdnAction::Serve,
            (None, false) => {
                return Err(
                    "the fault does nothing: give `status`, `redirect`, `body`, `ignore_range`, `wrong_range`, \
                            `raw`, `cut` or `pauses`"
                        .to_owned(),
                );
            }
        };
        let mut fault = Self::new(action);
        fault.raw = spec.raw.map(Into::into);
        fault.cut = spec.cut.map(CutSpec::parts);
        fault.pauses = spec.pauses.into_iter().map(PauseSpec::parts).collect();
        fault.pauses.sort_by_key(|(offset, _)| *offset);
        Ok(match spec.times.0 {
            Some(times) => fault.times(times),
            None => fault.always(),
        })
    }
}
