// Writes the coders of records beside them: `swift run wharf-records`, after a field was added.

import Foundation
import Records

func fail(_ message: String) -> Never {
  FileHandle.standardError.write(Data("wharf-records: \(message)\n".utf8))
  exit(1)
}

func write(_ module: URL) throws {
  let wanted = try Coders.files(below: module)
  let place = module.appending(path: Coders.folder)
  try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
  for old in try FileManager.default.contentsOfDirectory(atPath: place.path)
  where wanted[old] == nil {
    try FileManager.default.removeItem(at: place.appending(path: old))
    print("removed \(old)")
  }
  for (name, text) in wanted.sorted(by: { $0.key < $1.key }) {
    let file = place.appending(path: name)
    if let before = try? String(contentsOf: file, encoding: .utf8), before == text { continue }
    try Data(text.utf8).write(to: file, options: .atomic)
    print("wrote \(name)")
  }
}

do {
  for name in Coders.modules {
    let module = URL(filePath: "Sources/\(name)")
    guard FileManager.default.fileExists(atPath: module.path) else {
      fail("there is no Sources/\(name) here; run it at the root of the repository")
    }
    try write(module)
  }
} catch {
  fail("\(error)")
}
