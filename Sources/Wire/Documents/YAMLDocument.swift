// YAML as the domain reads it: a document becomes the JSON that commands are made of, and a problem
// in that JSON is traced back to its line and column.

import Hosting
import Yams

package struct YAMLDocument {
  package let source: SourceText
  package let root: Yams.Node
}

package enum YAMLDocuments {
  /// All documents of a file, or the place where it cannot be read.
  package static func parse(_ source: SourceText) throws(DocumentProblem) -> [YAMLDocument] {
    do {
      let parser = try Yams.Parser(yaml: source.text)
      var documents: [YAMLDocument] = []
      while let root = try parser.nextRoot() {
        documents.append(YAMLDocument(source: source, root: root))
      }
      return documents
    } catch let error as YamlError {
      let (reason, mark) = explain(error)
      if case .duplicatedKeysInMapping(let duplicates, let context) = error,
        let name = duplicates.first,
        let place = source.secondInFlow(name, from: context.mark)
          ?? source.second(name, from: context.mark.line)
      {
        throw DocumentProblem("\(source.name):\(place): this is no YAML: \(reason)")
      }
      throw source.problem("this is no YAML: \(reason)", at: mark)
    } catch {
      throw source.problem("this is no YAML: \(error)")
    }
  }

  private static func explain(_ error: YamlError) -> (String, Yams.Mark?) {
    switch error {
    case .scanner(let context, let problem, let mark, _),
      .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      (context.map { "\(problem) \($0.text)" } ?? problem, mark)
    case .reader(let problem, _, _, _): (problem, nil)
    case .duplicatedKeysInMapping(let duplicates, let context):
      ("the field '\(duplicates.joined(separator: "', '"))' stands here twice", context.mark)
    case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded: ("\(error)", nil)
    }
  }
}

extension SourceText {
  /// Where a field stands for the second time, `4:1`; the parser tells no more than in which mapping.
  fileprivate func second(_ field: String, from line: Int) -> String? {
    var seen: Set<Int> = []
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for (index, text) in lines.enumerated().dropFirst(max(0, line - 1)) {
      let indent = text.prefix { $0 == " " || $0 == "-" }.count
      // A line further out ends the mappings that were further in.
      if indent < text.count { seen = seen.filter { $0 <= indent } }
      // So does the beginning of another element of a list.
      if text.prefix(indent).contains("-") { seen.remove(indent) }
      guard text.dropFirst(indent).hasPrefix("\(field):") else { continue }
      if !seen.insert(indent).inserted { return "\(index + 1):\(indent + 1)" }
    }
    return nil
  }
}

extension YAMLDocument {
  /// The value of a field of the document itself, where it is a plain text.
  package func text(_ field: String) -> String? { root.mapping?[field]?.scalar?.string }

  package func has(_ field: String) -> Bool { root.mapping?[field] != nil }

  package func mark(_ path: String) -> Yams.Mark? { NodePath(path).find(in: root).mark }

  /// Reads the document, or the part at a path, strictly as a record. A plain scalar that the
  /// record rejects is tried as a text: `1` as a name. All that is wrong is told, unknown fields first.
  package func read<Record: Decodable>(_ type: Record.Type, at path: String = "")
    throws(DocumentProblem) -> Record
  {
    let start = path.isEmpty ? root : NodePath(path).find(in: root)
    var texts: Set<String> = []
    while true {
      let bytes = try json(start, texts)
      let problem: JSONProblem
      do {
        return try JSONDecoding.readDocument(type, from: JSONValue(document: bytes))
      } catch {
        problem = error
      }
      let retried = problem.all.filter { isText($0, start) && texts.insert($0.path).inserted }
      guard retried.isEmpty else { continue }
      let all = problem.all.map { failure($0, start) }
      throw DocumentProblem(all) ?? failure(problem, start)
    }
  }

  /// Whether a text is wanted, and what stands there may be meant as one.
  private func isText(_ problem: JSONProblem, _ start: Yams.Node) -> Bool {
    guard problem.reason.hasPrefix(JSONValue.expectedString),
      let scalar = NodePath(problem.path).find(in: start).scalar
    else { return false }
    return PlainScalar.isOne(scalar) && !["null", "~"].contains(scalar.string)
  }

  private func failure(_ problem: JSONProblem, _ start: Yams.Node) -> DocumentProblem {
    let isUnknownField = problem.reason.hasPrefix("there is no field")
    let mark =
      isUnknownField
      ? NodePath(problem.path).key(in: start)?.mark : NodePath(problem.path).find(in: start).mark
    let text = problem.path.isEmpty ? problem.reason : "\(problem.path): \(problem.reason)"
    return source.problem(text, at: mark ?? start.mark)
  }

  private func json(
    _ node: Yams.Node, _ texts: Set<String>
  ) throws(DocumentProblem) -> [UInt8] {
    var writer = NodeWriter(texts: texts)
    do { try writer.write(node, at: "") } catch {
      throw source.problem(error.reason, at: error.mark)
    }
    return writer.json.bytes
  }
}

enum PlainScalar {
  /// As YAML 1.2 reads plain scalars: null, true, false and decimal numbers are what they look
  /// like, and everything else is text. `no`, `1_000` and `2025-05-01` are texts.
  static func isOne(_ scalar: Yams.Node.Scalar) -> Bool {
    guard scalar.style == .plain || scalar.style == .any else { return false }
    return ["", "~", "null", "true", "false"].contains(scalar.string) || isNumber(scalar.string)
  }

  static func isNumber(_ text: String) -> Bool {
    let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
    guard let first = digits.utf8.first, (48...57).contains(first), Double(text) != nil else {
      return false
    }
    return (first != 48 || digits.utf8.count == 1 || digits.utf8.dropFirst().first == 46)
      && digits.utf8.allSatisfy { (48...57).contains($0) || [43, 45, 46, 69, 101].contains($0) }
      && digits.utf8.last != 46
  }
}

/// Writes a node as JSON.
private struct NodeWriter {
  /// Aliases may stand for much more than the file holds.
  static let nodesLimit = 200_000

  struct Problem: Error {
    let reason: String
    let mark: Yams.Mark?
  }

  /// Paths of plain scalars that are meant as texts.
  let texts: Set<String>
  var json = JSONWriter()
  private var nodes = 0

  init(texts: Set<String>) { self.texts = texts }

  mutating func write(_ node: Yams.Node, at path: String) throws(Problem) {
    nodes += 1
    guard nodes <= Self.nodesLimit else {
      throw Problem(reason: "the document has more than \(Self.nodesLimit) values", mark: node.mark)
    }
    switch node {
    case .scalar(let scalar): write(scalar, at: path)
    case .sequence(let sequence):
      json.openList()
      for (index, element) in sequence.enumerated() { try write(element, at: "\(path)[\(index)]") }
      json.closeList()
    case .mapping(let mapping):
      json.openObject()
      for (key, value) in mapping {
        guard let name = key.scalar?.string else {
          throw Problem(reason: "the name of a field is a plain text", mark: key.mark)
        }
        json.key(name)
        try write(value, at: path.isEmpty ? name : "\(path).\(name)")
      }
      json.closeObject()
    case .alias(let alias):
      throw Problem(reason: "this alias stands for nothing", mark: alias.mark)
    }
  }

  private mutating func write(_ scalar: Yams.Node.Scalar, at path: String) {
    if !PlainScalar.isOne(scalar) || texts.contains(path) {
      json.string(scalar.string)
    } else if PlainScalar.isNumber(scalar.string) {
      json.raw(scalar.string.utf8)
    } else if scalar.string == "true" || scalar.string == "false" {
      json.boolean(scalar.string == "true")
    } else {
      json.null()
    }
  }
}
