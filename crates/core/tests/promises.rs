//! What the documentation promises of public types.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::error::Error as _;
use std::fmt::Debug;
use std::io;

use gptimage_core::{
    Amount, Attempt, Balance, Budget, BudgetStatus, Call, CancelToken, Charge, Client, ClientBuilder, Cost,
    EditRequest, EditRequestBuilder, Error, ErrorKind, GenerateRequest, GenerateRequestBuilder, Generated, Image,
    ImageInput, InvalidRequest, Location, Mask, Pending, Progress, Reconcile, Reconciled, Request, RequestBuilder,
    SaveTo, Timers, Violation, Warning,
};

fn promises<T: Send + Sync + Debug>() {}

#[test]
fn public_types_are_send_and_sync_and_can_be_printed() {
    macro_rules! each {
        ($($type:ty),+ $(,)?) => { $( promises::<$type>(); )+ };
    }
    each!(
        Amount,
        Attempt,
        Balance,
        Budget,
        BudgetStatus,
        CancelToken,
        Charge,
        Client,
        ClientBuilder<Client>,
        Cost,
        EditRequest,
        EditRequestBuilder,
        Error,
        ErrorKind,
        GenerateRequest,
        GenerateRequestBuilder,
        Generated,
        Image,
        ImageInput,
        InvalidRequest,
        Location,
        Mask,
        Pending,
        Progress,
        Reconciled,
        Request,
        RequestBuilder,
        SaveTo,
        Timers,
        Violation,
        Warning,
    );
    each!(Call, Reconcile, gptimage_core::blocking::Client, gptimage_core::blocking::Call);
}

#[test]
fn the_source_of_a_file_error_is_the_io_error() {
    let folder = tempfile::tempdir().unwrap();
    let error = Image::from_file(folder.path().join("missing.png")).read().unwrap_err();
    let source = error.source().unwrap().downcast_ref::<io::Error>().unwrap();
    assert_eq!((error.kind(), source.kind()), (ErrorKind::Io, io::ErrorKind::NotFound));
}

#[test]
fn money_prints_as_money() {
    let price: Amount = "0.0410".parse().unwrap();
    assert_eq!((price.to_string(), format!("{price:?}")), ("0.041".to_owned(), "Amount(0.041)".to_owned()));
}
