// Lines of a shell, for what tests do with standard tools.

import Foundation

/// Runs `script` in `folder`, on a thread that may block, and gives what it printed.
/// - Throws: `TestFailure` when it ends with another code than 0, or not in time.
@discardableResult
package func shell(
  _ script: String, in folder: TestFolder? = nil, withinSeconds limit: Double = 60
) throws -> String {
  let own = try folder ?? TestFolder()
  let child = try Child(
    ["/bin/sh", "-ec", "cd '\(own.root)'; exec 2>&1; \(script)"],
    environment: ProcessInfo.processInfo.environment, folder: own)
  let status = try child.blockUntilExit(withinSeconds: limit)
  let output = child.output
  guard status == .code(0) else { throw TestFailure("\(script)\nended by \(status): \(output)") }
  return output
}
