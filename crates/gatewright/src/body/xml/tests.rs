use super::*;
use crate::params::kinds;

const NS: XmlName = XmlName::new("kind").within("urn:k").prefix("k");

/// The root is not the first node: all tables of a document share its nodes.
const TABLE: XmlTable = XmlTable::new(
    "pet",
    1,
    &[
        XmlNode::new(kinds::BOOLEAN),
        XmlNode::new(kinds::OBJECT).properties(&[
            XmlProperty::attribute("id", 2),
            XmlProperty::element("name", 3).named(XmlName::new("pet-name")),
            XmlProperty::element("kind", 3).named(NS),
            XmlProperty::element("tags", 4),
            XmlProperty::each("owners", 5).named(XmlName::new("owner")),
            XmlProperty::element("size", 6),
            XmlProperty::element("parent", 1),
            XmlProperty::element("note", 8),
        ]),
        XmlNode::new(kinds::NUMBER),
        XmlNode::new(kinds::STRING),
        XmlNode::new(kinds::ARRAY).items(XmlName::new("tag"), 3),
        XmlNode::new(kinds::ARRAY).items(XmlName::new("owner"), 7),
        XmlNode::new(kinds::NUMBER | kinds::NULL),
        XmlNode::new(kinds::OBJECT).additional(3),
        XmlNode::new(kinds::OBJECT).properties(&[XmlProperty::attribute("lang", 3), XmlProperty::text("text", 3)]),
    ],
);

#[test]
fn both_ways() {
    for (xml, json) in [
        ("<pet id=\"7\"><pet-name>a &lt; b</pet-name></pet>", r#"{"name":"a < b","id":7}"#),
        ("<pet><k:kind xmlns:k=\"urn:k\">x</k:kind></pet>", r#"{"kind":"x"}"#),
        ("<pet><tags><tag>a</tag><tag></tag></tags></pet>", r#"{"tags":["a",""]}"#),
        ("<pet><tags></tags></pet>", r#"{"tags":[]}"#),
        ("<pet><owner><a>1</a></owner><owner></owner></pet>", r#"{"owners":[{"a":"1"},{}]}"#),
        ("<pet><parent id=\"1\"></parent></pet>", r#"{"parent":{"id":1}}"#),
        ("<pet><size>1.5</size></pet>", r#"{"size":1.5}"#),
        ("<pet><note lang=\"de\">Hund &amp; Katz</note></pet>", r#"{"note":{"text":"Hund & Katz","lang":"de"}}"#),
        ("<pet></pet>", "{}"),
    ] {
        assert_eq!(read(&TABLE, xml).unwrap(), json, "{xml}");
        let written = write(&TABLE, json.as_bytes()).unwrap();
        assert_eq!(written.split_once('\n').unwrap().1, xml);
    }
    let nil = write(&TABLE, r#"{"size":null}"#.as_bytes()).unwrap();
    assert_eq!(read(&TABLE, &nil).unwrap(), r#"{"size":null}"#);
    let odd = write(&TABLE, r#"{"name":"\r\n\t\"<![CDATA[&amp;"}"#.as_bytes()).unwrap();
    assert_eq!(read(&TABLE, &odd).unwrap(), r#"{"name":"\u000d\u000a\u0009\"<![CDATA[&amp;"}"#);
    for bad in [r#"{"name":"\u0001"}"#, r#"{"owners":[{"a><b":"1"}]}"#, r#"{"owners":[{"":"1"}]}"#] {
        assert!(write(&TABLE, bad.as_bytes()).is_err(), "{bad}");
    }
}

#[test]
fn what_senders_write_otherwise() {
    for (xml, json) in [
        ("<?xml version=\"1.0\"?>\n<!-- x -->\n<pet>\n  <size> 2 </size>\n</pet>\n", r#"{"size":2}"#),
        ("<p:pet xmlns:p=\"urn:p\"><p:size>2</p:size></p:pet>", r#"{"size":2}"#),
        ("<pet><kind xmlns=\"urn:k\">x</kind></pet>", r#"{"kind":"x"}"#),
        ("<pet><pet-name><![CDATA[<a>]]>&#x41;</pet-name></pet>", r#"{"name":"<a>A"}"#),
        ("<pet/>", "{}"),
        ("<pet><size>big</size></pet>", r#"{"size":"big"}"#),
        ("<pet unknown='1'><other>2</other></pet>", r#"{"unknown":"1","other":""}"#),
        ("<pet xml:lang='de' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:type='x'/>", "{}"),
    ] {
        assert_eq!(read(&TABLE, xml).unwrap_or_else(str::to_owned), json, "{xml}");
    }
}

#[test]
fn what_is_refused() {
    let deep = format!("{}{}", "<pet><parent>".repeat(40), "</parent></pet>".repeat(40));
    let wide = format!("<pet>{}</pet>", "<owner/>".repeat(70_000));
    let attributes: String = (0..200).map(|i| format!(" a{i}='1'")).collect();
    let laughs = "<!DOCTYPE p [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]><pet><pet-name>&b;</pet-name></pet>";
    for xml in [
        laughs,
        "<!DOCTYPE pet SYSTEM 'file:///etc/passwd'><pet/>",
        "<pet><pet-name>&a;</pet-name></pet>",
        "<pet id='&a;'/>",
        "<pet><pet-name>&#0;</pet-name></pet>",
        "<pet><pet-name>&#1;</pet-name></pet>",
        "<pet><pet-name>a</pet-name><pet-name>b</pet-name></pet>",
        // A name of a property that stands elsewhere.
        "<pet><name>a</name></pet>",
        "<pet><id>1</id></pet>",
        "<pet name='a'/>",
        "<pet id='1' id='2'/>",
        "<pet><k:kind>x</k:kind></pet>",
        "<pet><kind xmlns='urn:other'>x</kind></pet>",
        "<pet><tags><other/></tags></pet>",
        "<pet><tags>text</tags></pet>",
        "<pet><pet-name a='1'>x</pet-name></pet>",
        "<pet><pet-name><b>x</b></pet-name></pet>",
        "<pet>text</pet>",
        "<dog/>",
        "<pet>",
        "<pet></dog>",
        "<pet/><pet/>",
        "<pet/>x",
        "",
        "x",
        deep.as_str(),
        wide.as_str(),
        &format!("<pet{attributes}/>"),
    ] {
        assert!(read(&TABLE, xml).is_err(), "{}", xml.get(..60).unwrap_or(xml));
    }
}
