//! What the tests read in a page: its fenced blocks and its links.

/// A fenced block.
pub(crate) struct Block {
    /// The line of its fence, from 1.
    pub(crate) line: usize,
    /// The first word after the fence: `sh`, `yaml`, `text`.
    pub(crate) language: String,
    /// What follows it on the fence's line.
    pub(crate) about: String,
    /// Its lines.
    pub(crate) text: String,
}

impl Block {
    /// The file that it holds: ```` ```yaml drctl.yaml ````.
    pub(crate) fn file(&self) -> Option<&str> {
        (self.language != "sh" && !self.about.is_empty()).then_some(self.about.as_str())
    }
}

/// The blocks of a page in order, those within comments included: they set the stage where a reader need not look.
pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for (at, line) in page.lines().enumerate() {
        match (open, line.strip_prefix("```")) {
            (true, Some(_)) => open = false,
            (false, Some(fence)) => {
                open = true;
                let (language, about) = fence.split_once(' ').unwrap_or((fence, ""));
                let [language, about] = [language, about].map(|word| word.trim().to_owned());
                blocks.push(Block { line: at + 1, language, about, text: String::new() });
            }
            (true, None) => {
                let text = &mut blocks.last_mut().unwrap().text;
                text.push_str(line);
                text.push('\n');
            }
            (false, None) => {}
        }
    }
    blocks
}

/// What leads to each heading of a page, as sites that show Markdown make it.
pub(crate) fn anchors(page: &str) -> Vec<String> {
    let prose = page.split("\n```").step_by(2).collect::<String>();
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let kept = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = kept.chars().filter(|letter| letter.is_alphanumeric() || "_- ".contains(*letter));
        kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
    };
    headings.map(anchor).collect()
}

/// Where the links of a page lead, blocks and code left out.
pub(crate) fn links(page: &str) -> Vec<String> {
    let prose = page.split("\n```").step_by(2).collect::<String>();
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target.to_owned()).collect()
}
