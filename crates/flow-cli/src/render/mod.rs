//! Diagnostics as text: for people, for programs, for code scanning.

mod github;
mod human;
mod json;
mod places;
mod sarif;
mod snippet;

pub(crate) use human::human;
pub(crate) use json::{Said as JsonDiagnostic, diagnostics as json_diagnostics, json, pretty};
pub(crate) use places::Places;

use crate::args::ReportFormat;
use crate::output::Looks;
use crate::report::Report;

/// Writes a report in a format.
pub(crate) fn render(report: &Report, format: ReportFormat, looks: Looks) -> String {
    match format {
        ReportFormat::Human => human(report, looks),
        ReportFormat::Json => json(report),
        ReportFormat::Sarif => sarif::sarif(report),
        ReportFormat::Github => github::github(report),
    }
}
