// Commands that people are shown to paste.

package enum Shell {
  private static let plain = Set(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+,=")

  /// A word as a shell takes it for one.
  package static func quoted(_ word: String) -> String {
    !word.isEmpty && word.allSatisfy(plain.contains)
      ? word : "'" + word.replacing("'", with: #"'\''"#) + "'"
  }
}
