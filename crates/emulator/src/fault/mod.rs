//! Faults of paid calls and of the CDN, and the queues in which they wait.

mod answer;
mod answer_context;
mod any;
mod call;
mod call_spec;
mod cdn;
mod cdn_spec;
mod content;
mod cut;
mod error_body;
mod error_form;
mod queue;
mod raw_answer;
mod spec;

pub(crate) use answer::{Answer, Rendered, add_header};
pub(crate) use answer_context::AnswerContext;
pub(crate) use any::AnyFault;
pub(crate) use call::CallSelector;
pub use call::Fault;
pub(crate) use cdn::CdnAction;
pub use cdn::CdnFault;
pub use cut::{Cut, Early};
pub(crate) use error_body::html_page;
pub use error_body::{ErrorBody, Issue, PathItem};
pub use error_form::ErrorForm;
pub(crate) use queue::FaultQueue;
pub(crate) use raw_answer::RawAnswer;
