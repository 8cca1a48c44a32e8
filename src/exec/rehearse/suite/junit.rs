//! What came of all scenarios as JUnit XML, which CI servers read: a suite for each runbook, a case for each scenario.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::text::blocks;
use super::{Suite, Verdict};

/// The report.
///
/// # Errors
/// It cannot be written as XML.
pub fn junit(suite: &Suite) -> Result<String, String> {
    let mut report = Report::new("drctl test");
    report.set_time(suite.tally(None).2);
    for runbook in suite.runbooks() {
        let mut cases = suite.verdicts.iter().filter(|verdict| verdict.runbook == runbook).peekable();
        if cases.peek().is_none() {
            continue;
        }
        let mut own = TestSuite::new(runbook);
        own.set_time(suite.tally(Some(runbook)).2);
        own.add_test_cases(cases.map(case));
        report.add_test_suite(own);
    }
    report.to_string().map_err(|error| error.to_string())
}

fn case(verdict: &Verdict) -> TestCase {
    let mut case = TestCase::new(verdict.scenario.as_str(), status(verdict));
    case.set_classname(verdict.runbook.as_str()).set_time(Duration::from_millis(verdict.took.as_millis() as u64));
    case.add_property(("file", verdict.file.as_str())).add_property(("again", verdict.again.as_str()));
    case
}

fn status(verdict: &Verdict) -> TestCaseStatus {
    let found = match &verdict.result {
        Ok(found) if found.differences.is_empty() => return TestCaseStatus::success(),
        Ok(found) => found,
        Err(problem) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(problem.as_str()).set_type("invalid");
            return status;
        }
    };
    let mut text = String::new();
    blocks(&mut text, &found.differences);
    let first = found.differences.first().map(super::Shown::text).unwrap_or_default();
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(first).set_type("difference").set_description(text);
    status
}
