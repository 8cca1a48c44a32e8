//! Whole bodies, as each kind of reader gets them.

use super::*;
use crate::runbook::markdown::escaped;

fn all(body: &str) -> [String; 4] {
    [html(body), text(body), slack(body), teams(body)]
}

fn each_is(body: &str, wanted: [&str; 4]) {
    let found = all(body);
    for ((found, wanted), kind) in found.iter().zip(wanted).zip(["html", "text", "slack", "teams"]) {
        assert_eq!(found.trim_end(), wanted, "{kind} of {body:?}");
    }
}

#[test]
fn a_line_break_is_a_line_break() {
    each_is(
        "Status: down\nNext update: 12:30\n\nSorry.",
        [
            "<p>Status: down<br />\nNext update: 12:30</p>\n<p>Sorry.</p>",
            "Status: down\nNext update: 12:30\n\nSorry.",
            "Status: down\nNext update: 12:30\n\nSorry.",
            "Status: down\n\nNext update: 12:30\n\nSorry.",
        ],
    );
}

#[test]
fn what_stands_out_does_so_for_everybody() {
    each_is(
        "# Orders is **down**\n\nIt is *slow*, ~~fine~~ and **gone**: `drctl status`.\n\n---",
        [
            "<h1>Orders is <strong>down</strong></h1>\n<p>It is <em>slow</em>, <del>fine</del> and <strong>gone</strong>: \
             <code>drctl status</code>.</p>\n<hr />",
            "Orders is down\n==============\n\nIt is slow, ~fine~ and gone: drctl status.\n\n\
             ----------------------------------------",
            "*Orders is down*\n\nIt is _slow_, ~fine~ and *gone*: `drctl status`.\n\n──────────",
            "**Orders is down**\n\nIt is _slow_, fine and **gone**: drctl status.\n\n──────────",
        ],
    );
}

#[test]
fn lists_nest_and_count_on() {
    each_is(
        "- one\n  - inner\n- two\n\nThen:\n\n3. first\n4. second",
        [
            "<ul>\n<li>one\n<ul>\n<li>inner</li>\n</ul>\n</li>\n<li>two</li>\n</ul>\n<p>Then:</p>\n\
             <ol start=\"3\">\n<li>first</li>\n<li>second</li>\n</ol>",
            "- one\n  - inner\n- two\n\nThen:\n\n3. first\n4. second",
            "• one\n  • inner\n• two\n\nThen:\n\n3. first\n4. second",
            "- one\n  - inner\n- two\n\nThen:\n\n3. first\n4. second",
        ],
    );
    assert_eq!(text("- one\n\n  more\n\n- two"), "- one\n\n  more\n\n- two");
}

#[test]
fn quotes_and_code_keep_their_lines() {
    each_is(
        "> said\n> twice\n\n```\ndrctl status <run>\n  drctl watch\n```",
        [
            "<blockquote>\n<p>said<br />\ntwice</p>\n</blockquote>\n<pre><code>drctl status &lt;run&gt;\n  drctl watch\n</code></pre>",
            "> said\n> twice\n\n    drctl status <run>\n      drctl watch",
            "> said\n> twice\n\n```\ndrctl status &lt;run&gt;\n  drctl watch\n```",
            "│ said\n│\n│ twice\n\ndrctl status \\<run\\>\n\n&#32;&#32;drctl watch",
        ],
    );
}

#[test]
fn tables_are_drawn_or_told() {
    each_is(
        "| Service | State |\n|---|---|\n| Orders | **down** |\n| Größe | |",
        [
            "<table><thead><tr><th>Service</th><th>State</th></tr></thead><tbody>\n\
             <tr><td>Orders</td><td><strong>down</strong></td></tr>\n<tr><td>Größe</td><td></td></tr>\n</tbody></table>",
            "Service  State\n-------  -----\nOrders   down\nGröße",
            "• *Service:* Orders, *State:* *down*\n• *Service:* Größe",
            "- **Service:** Orders, **State:** **down**\n- **Service:** Größe",
        ],
    );
}

#[test]
fn links_lead_to_the_web_and_nowhere_else() {
    each_is(
        "[status page](https://status.example.com/?a=1&b=2) <https://example.com> <help@example.com> \
         [bad](javascript:alert(1)) [file](../x) ![picture](https://t.example/p.png)",
        [
            "<p><a href=\"https://status.example.com/?a=1&amp;b=2\">status page</a> \
             <a href=\"https://example.com\">https://example.com</a> \
             <a href=\"mailto:help@example.com\">help@example.com</a> bad file picture</p>",
            "status page (https://status.example.com/?a=1&b=2) https://example.com help@example.com bad file picture",
            "<https://status.example.com/?a=1&amp;b=2|status page> <https://example.com|https://example.com> \
             <mailto:help@example.com|help@example.com> bad file picture",
            "[status page](https://status.example.com/?a=1&b=2) [https://example.com](https://example.com) \
             [help@example.com](mailto:help@example.com) bad file picture",
        ],
    );
}

#[test]
fn html_is_text_and_nobody_is_called() {
    each_is(
        "<script>alert('x & y')</script>\n\n<!channel> <@U123> @everyone \"x\" me@here.example",
        [
            "<p>&lt;script&gt;alert('x &amp; y')&lt;/script&gt;</p>\n\
             <p>&lt;!channel&gt; &lt;@U123&gt; @everyone \"x\" me@here.example</p>",
            "<script>alert('x & y')</script>\n\n<!channel> <@U123> @everyone \"x\" me@here.example",
            "&lt;script&gt;alert('x &amp; y')&lt;/script&gt;\n\n\
             &lt;!channel&gt; &lt;@U123&gt; @\u{2060}everyone \"x\" me@\u{2060}here.example",
            "\\<script\\>alert('x \\& y')\\</script\\>\n\n\\<!channel\\> \\<@U123\\> @everyone \"x\" me@here.example",
        ],
    );
}

#[test]
fn a_value_is_what_it_says_wherever_it_stands() {
    let value = "# *x* <!channel>\n\n- [y](https://evil.example) `z` | {{DATE(2026-11-21T03:12:00Z)}}";
    let body = format!("- Why: {}\n- next\n\n| a |\n|---|\n| {} |", escaped(value), escaped("1|2\n3"));
    let [html, text, slack, teams] = all(&body);
    assert_eq!(
        html,
        "<ul>\n<li>Why: # *x* &lt;!channel&gt;<br />\n<br />\n- [y](https://evil.example) `z` | \
         {{DATE(2026-11-21T03:12:00Z)}}</li>\n<li>next</li>\n</ul>\n\
         <table><thead><tr><th>a</th></tr></thead><tbody>\n<tr><td>1|2<br />\n3</td></tr>\n</tbody></table>\n"
    );
    assert_eq!(
        text,
        "- Why: # *x* <!channel>\n\n  - [y](https://evil.example) `z` | {{DATE(2026-11-21T03:12:00Z)}}\n- next\n\n\
         a\n-----\n1|2 3"
    );
    assert_eq!(
        slack,
        "• Why: # \u{2217}x\u{2217} &lt;!channel&gt;\n\n  - [y](https://evil.example) \u{2cb}z\u{2cb} | \
         {{DATE(2026-11-21T03:12:00Z)}}\n• next\n\n• *a:* 1|2 3"
    );
    assert_eq!(
        teams,
        "- Why: \\# \\*x\\* \\<!channel\\>\n\n\n\n  \\- \\[y\\](https://evil.example) \\`z\\` \\| \
         \\{\\{DATE(2026-11-21T03:12:00Z)}}\n- next\n\n- **a:** 1\\|2 3"
    );
}

#[test]
fn a_value_in_code_is_code_and_no_more() {
    let value = escaped("a_b_ *c* & <d>");
    each_is(
        &format!("`{value}`\n\n```\n{value}\n{}\n```", escaped("```\n# x")),
        [
            "<p><code>a_b_ *c* &amp; &lt;d&gt;</code></p>\n<pre><code>a_b_ *c* &amp; &lt;d&gt;\n```\n# x\n</code></pre>",
            "a_b_ *c* & <d>\n\n    a_b_ *c* & <d>\n    ```\n    # x",
            "`a_b_ *c* &amp; &lt;d&gt;`\n\n```\na_b_ *c* &amp; &lt;d&gt;\n\u{2cb}\u{2cb}\u{2cb}\n# x\n```",
            "a_b\\_ \\*c\\* \\& \\<d\\>\n\na_b\\_ \\*c\\* \\& \\<d\\>\n\n\\`\\`\\`\n\n\\# x",
        ],
    );
}

#[test]
fn a_body_made_to_be_slow_is_soon_written() {
    let deep = format!("{}x\n{}", ">".repeat(3_000), "- ".repeat(1_000));
    let marks = "*_`[(<|".repeat(1_000);
    for body in [deep, marks] {
        assert_eq!(all(&body).len(), 4);
    }
}
