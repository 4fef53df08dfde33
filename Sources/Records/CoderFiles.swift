// Which files the coders of a module stand in: one for each file with records, beside the others' in one
// folder, so that a file of nouns holds nothing but its nouns.

import Foundation

extension Coders {
  package static let folder = "Coders"
  /// Those with records.
  package static let modules = ["Hosting", "Wire", "CLI"]

  /// The files that belong in the folder, by name, with their whole text.
  package static func files(below sources: URL) throws -> [String: String] {
    let all = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)
    var files: [String: String] = [:]
    for file in all?.allObjects as? [URL] ?? [] {
      guard file.pathExtension == "swift",
        file.deletingLastPathComponent().lastPathComponent != folder
      else { continue }
      let name = file.lastPathComponent
      let text = try String(contentsOf: file, encoding: .utf8)
      // What coders are made of is Hosting's.
      let imports = sources.lastPathComponent == "Hosting" ? [] : ["Hosting"]
      if let coders = try source(for: name, text, importing: imports) {
        files[file.deletingPathExtension().lastPathComponent + "+Coders.swift"] = coders
      }
    }
    return files
  }
}
