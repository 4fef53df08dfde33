// An engine template as a document: what Deploy/engines holds, what `wharf engine show -o yaml` prints, and
// what `wharf engine define -f` and `wharf apply` read.

import Hosting

package struct EngineTemplate: JSONRecord, Equatable, Sendable {
  package static let kind = "engine"

  package let kind: String
  package let name: Name
  package let tasks: [ModelTask]
  package let command: [String]
  package let environment: [String: String]?
  package let readiness: Launch.Readiness
  package let liveness: Launch.Liveness?
  package let waits: Launch.Waits?
  package let stopGraceSeconds: Int

  package init(_ launch: Launch, tasks: [ModelTask]) {
    kind = Self.kind
    name = launch.engine
    self.tasks = tasks
    command = launch.command
    environment = launch.environment.isEmpty ? nil : launch.environment
    readiness = launch.readiness
    liveness = launch.liveness
    waits = launch.waits
    stopGraceSeconds = launch.stopGraceSeconds
  }

  package init(_ document: YAMLDocument) throws(DocumentProblem) {
    guard !document.has("launch") else {
      throw document.source.problem(
        "this is how templates were written before", at: document.mark("launch"),
        help: "write it as 'wharf engine show sim -o yaml' does: kind: engine, name, command …")
    }
    guard let kind = document.text("kind"), kind.lowercased() == Self.kind else {
      throw document.source.problem(
        "this is no engine template: it begins with 'kind: engine'", at: document.mark("kind"),
        help: "'wharf engine show sim -o yaml' prints one")
    }
    self = try document.read(EngineTemplate.self)
  }

  /// The one template of a text. `file` is for messages, which name line and column.
  package init(_ text: String, file: String) throws(DocumentProblem) {
    let source = SourceText(name: file, text: text)
    let documents = try YAMLDocuments.parse(source)
    guard let document = documents.first, documents.count == 1 else {
      throw source.problem("expected one document, found \(documents.count)")
    }
    self = try EngineTemplate(document)
  }

  package var define: DefineEngine {
    DefineEngine(
      launch: Launch(
        engine: name, command: command, environment: environment ?? [:], readiness: readiness,
        stopGraceSeconds: stopGraceSeconds, liveness: liveness, waits: waits), tasks: tasks)
  }
}
