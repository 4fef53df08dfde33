// Files and folders on command lines. An empty name is what a variable gives that is not set: it would be the folder
// that one happens to be in, or fail late without a word on which option it was.

import Hosting

package enum Paths {
  /// For an option's `transform`.
  @Sendable package static func named(_ text: String) throws -> String {
    if text.isEmpty { throw Malformed("the name of a file or folder cannot be empty") }
    return text
  }
}
