// Writes the coders of Hosting's records beside them: `swift run wharf-records`, after a field was added.

import Foundation
import Records

let sources = URL(filePath: "Sources/Hosting")
let place = sources.appending(path: Coders.folder)

func fail(_ message: String) -> Never {
  FileHandle.standardError.write(Data("wharf-records: \(message)\n".utf8))
  exit(1)
}

guard FileManager.default.fileExists(atPath: sources.path) else {
  fail("there is no Sources/Hosting here; run it at the root of the repository")
}
do {
  let wanted = try Coders.files(below: sources)
  let kept = Set(wanted.keys)
  try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
  for old in try FileManager.default.contentsOfDirectory(atPath: place.path)
  where !kept.contains(old) {
    try FileManager.default.removeItem(at: place.appending(path: old))
    print("removed \(old)")
  }
  for (name, text) in wanted.sorted(by: { $0.key < $1.key }) {
    let file = place.appending(path: name)
    if let before = try? String(contentsOf: file, encoding: .utf8), before == text { continue }
    try Data(text.utf8).write(to: file, options: .atomic)
    print("wrote \(name)")
  }
} catch {
  fail("\(error)")
}
