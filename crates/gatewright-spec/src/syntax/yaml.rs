//! YAML through granit-parser's events. Everything that names that crate is here, so that another can take its place.

use std::sync::Arc;

use gatewright_diag::{FileId, Sink, Span, codes};
use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span as Range, StructureStyle, Tag};

use super::build::{Builder, Stop};
use super::scalar::Scalar;
use super::tree::Tree;

pub(super) fn read(file: FileId, text: Arc<str>, sink: &mut Sink) -> Option<Tree> {
    let mut options = Options::default();
    // Another crate in the tree may have turned comments on for all; we read none.
    options.set_emit_comments(false);
    let mut parser = Parser::new_from_str_with_options(&text, options);
    let mut builder = Builder::new(file, text.clone(), false, sink);
    while let Some(event) = parser.next_event() {
        let step = match event {
            Ok((event, range)) => feed(&mut builder, &text, event, &range),
            Err(error) => {
                report(&mut builder, &text, &error);
                Err(Stop)
            }
        };
        if step.is_err() {
            return None;
        }
    }
    builder.finish()
}

fn feed(builder: &mut Builder<'_>, text: &str, event: Event<'_>, range: &Range) -> Result<(), Stop> {
    let (start, end) = bytes(range);
    let span = builder.span(start, end);
    match event {
        Event::DocumentStart(..) if builder.done() => {
            builder
                .sink
                .error(codes::SEVERAL_DOCUMENTS, span, "a second YAML document starts here")
                .help("keep one document in a file: remove the `---` and what follows it");
            return Err(Stop);
        }
        Event::Scalar(value, style, anchor, tag) => {
            let quoted = scalar_is_text(builder, &value, style, tag.as_deref(), tag_span(builder, range, span))?;
            if builder.at_key() && value == "<<" && style == ScalarStyle::Plain {
                builder
                    .sink
                    .error(codes::MERGE_KEY, span, "the merge key `<<` is not of YAML 1.2, and tools disagree on it")
                    .help("write the keys out, or share them with `$ref` or `allOf`");
                return Err(Stop);
            }
            let value: &str = &value;
            let node = match offset_in(text, value) {
                Some(at) => builder.slice(span, at, value.len(), quoted)?,
                // Nothing after a colon comes as a `~` that is not in the source.
                None if style == ScalarStyle::Plain && span.start == span.end => {
                    empty_key(builder, span)?;
                    builder.owned(span, "", quoted)?
                }
                None => builder.owned(span, value, quoted)?,
            };
            builder.anchor_scalar(anchor, node);
        }
        Event::SequenceStart(style, anchor, tag) => {
            container_tag(builder, tag.as_deref(), "seq", tag_span(builder, range, span))?;
            builder.open(span, false, style == StructureStyle::Flow, anchor)?;
        }
        Event::MappingStart(style, anchor, tag) => {
            container_tag(builder, tag.as_deref(), "map", tag_span(builder, range, span))?;
            builder.open(span, true, style == StructureStyle::Flow, anchor)?;
        }
        Event::SequenceEnd | Event::MappingEnd => builder.close(end),
        Event::Alias(anchor) => builder.alias(span, anchor)?,
        _ => {}
    }
    Ok(())
}

fn bytes(range: &Range) -> (usize, usize) {
    let start = range.start.byte_offset().unwrap_or(0);
    (start, range.end.byte_offset().unwrap_or(start))
}

fn tag_span(builder: &Builder<'_>, range: &Range, otherwise: Span) -> Span {
    range.tag_span().map_or(otherwise, |range| {
        let (start, end) = bytes(&range);
        builder.span(start, end)
    })
}

/// Where a borrowed slice lies in the source, if it does.
fn offset_in(text: &str, part: &str) -> Option<usize> {
    let at = (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    (at + part.len() <= text.len()).then_some(at)
}

fn empty_key(builder: &mut Builder<'_>, span: Span) -> Result<(), Stop> {
    if builder.at_key() {
        builder.sink.error(codes::KEY_NOT_TEXT, span, "a key is missing before this `:`").help("write a key");
        return Err(Stop);
    }
    Ok(())
}

/// Whether the scalar is text whatever it looks like.
fn scalar_is_text(
    builder: &mut Builder<'_>,
    value: &str,
    style: ScalarStyle,
    tag: Option<&Tag>,
    span: Span,
) -> Result<bool, Stop> {
    let quoted = style != ScalarStyle::Plain;
    let Some(tag) = tag else { return Ok(quoted) };
    let resolved = Scalar::of_plain(value);
    let fits = match tag.core_suffix() {
        Some("str") => return Ok(true),
        Some("null") => matches!(resolved, Scalar::Null),
        Some("bool") => matches!(resolved, Scalar::Bool(_)),
        Some("int") => matches!(resolved, Scalar::Number(n) if n.is_integer()),
        Some("float") => matches!(resolved, Scalar::Number(_)),
        // The non-specific tag `!` says: text.
        None if tag.original() == "!" => return Ok(true),
        _ => return custom_tag(builder, tag, span).map(|()| quoted),
    };
    if !fits {
        builder
            .sink
            .error(codes::CUSTOM_TAG, span, format!("the value is not what its tag `{}` says", shown(tag)))
            .help("remove the tag, or mend the value");
        return Err(Stop);
    }
    Ok(false)
}

fn container_tag(builder: &mut Builder<'_>, tag: Option<&Tag>, wanted: &str, span: Span) -> Result<(), Stop> {
    match tag {
        Some(tag) if tag.core_suffix() != Some(wanted) && tag.original() != "!" => custom_tag(builder, tag, span),
        _ => Ok(()),
    }
}

fn custom_tag(builder: &mut Builder<'_>, tag: &Tag, span: Span) -> Result<(), Stop> {
    builder
        .sink
        .error(codes::CUSTOM_TAG, span, format!("the tag `{}` has no meaning in an OpenAPI document", shown(tag)))
        .label("tags can name code to run, and none is run here")
        .help("remove the tag and write the value as plain data");
    Err(Stop)
}

fn shown(tag: &Tag) -> String {
    tag.original().chars().take(64).collect()
}

/// granit's errors in our words, with the edit that helps.
fn report(builder: &mut Builder<'_>, text: &str, error: &ScanError) {
    let at = error.marker().byte_offset().unwrap_or(text.len());
    let next = text.get(at..).and_then(|rest| rest.chars().next());
    let len = next.filter(|c| !matches!(c, '\n' | '\r')).map_or(0, char::len_utf8);
    let span = builder.span(at, at + len);
    if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
        let message = format!("values nest more than {} levels deep", super::MAX_DEPTH);
        builder
            .sink
            .error(codes::TOO_DEEP, span, message)
            .help("move inner parts to `components` and refer to them with `$ref`");
        return;
    }
    let (message, help) = words(error);
    builder.sink.error(codes::YAML_SYNTAX, span, message).help(help);
}

fn words(error: &ScanError) -> (String, &'static str) {
    let said = |message: &str, help| (message.to_owned(), help);
    let quote = "put the whole value in quotes";
    match error.kind() {
        ErrorKind::TabNotAllowed | ErrorKind::TabInBlockIndentation | ErrorKind::TabInIndentation => {
            said("a tab is used for indentation", "indent with spaces")
        }
        ErrorKind::MappingValueNotAllowed | ErrorKind::MappingKeyNotAllowed => said(
            "a second `: ` stands in this line, where no key can be",
            "put the value in quotes, or check the indentation",
        ),
        ErrorKind::UnclosedQuotedScalar
        | ErrorKind::InvalidQuotedScalarIndent
        | ErrorKind::DocumentIndicatorInQuotedScalar => said(
            "a quoted text is not closed before this place",
            "close the quote; inside '…' a quote is written twice",
        ),
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => {
            said("something follows a quoted text", "put the whole value inside the quotes")
        }
        ErrorKind::UnexpectedEofFlowMapping | ErrorKind::UnexpectedEofImplicitFlowMapping => {
            said("a `{` is never closed", "add the `}`, or write the object as lines of `key: value`")
        }
        ErrorKind::UnexpectedEofFlowSequence => {
            said("a `[` is never closed", "add the `]`, or write the list as lines of `- item`")
        }
        ErrorKind::UnclosedFlowCollection { open } => (format!("a `{open}` is never closed"), "close it"),
        ErrorKind::ExpectedFlowMappingSeparator => {
            said("expected `,` or `}`", "close the `{`, or put the value in quotes")
        }
        ErrorKind::ExpectedFlowSequenceSeparator => {
            said("expected `,` or `]`", "close the `[`, or put the value in quotes")
        }
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            (format!("`{open}` is closed by `{close}`"), "make the brackets match")
        }
        ErrorKind::MisplacedFlowCollectionEnd => {
            said("this closing bracket closes nothing", "remove it, or put the text in quotes")
        }
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidIndentation => {
            said("this line's indentation belongs to no enclosing object", "align it with the keys it belongs to")
        }
        ErrorKind::ExpectedBlockSequenceEntry | ErrorKind::BlockSequenceEntryNotAllowed => said(
            "a list and an object are mixed at this indentation",
            "indent the items under their key, each with `- `",
        ),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => {
            said("expected `key: value`", "add the `:` and a value, or indent the line to continue the text above")
        }
        ErrorKind::UnknownAnchor => said("this alias names no anchor", "define it with `&name` before it is used"),
        ErrorKind::UndeclaredTagHandle => said("this tag has no declared meaning", "remove the tag"),
        ErrorKind::UnexpectedCharacter { character } => (format!("no value can start with `{character}`"), quote),
        ErrorKind::UnknownQuotedScalarEscape => {
            said("unknown escape in a \"…\" text", "write `\\\\` for a backslash, or use '…', which has no escapes")
        }
        ErrorKind::InvalidLowSurrogate
        | ErrorKind::MissingLowSurrogate
        | ErrorKind::UnpairedLowSurrogate
        | ErrorKind::InvalidUnicodeEscape => {
            said("this escape is half of a pair and names no character", "write the character itself")
        }
        ErrorKind::BomInsideDocument => said("a byte-order mark stands inside the text", "remove it"),
        ErrorKind::UnexpectedEof => said("the file ends in the middle of a value", "finish or remove the value"),
        // The scanner's own words; they name no type of ours.
        _ => (error.info().replace('\'', "`"), quote),
    }
}
