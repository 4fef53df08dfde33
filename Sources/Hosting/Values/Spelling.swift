// Which known name somebody meant who wrote another.

package enum Spelling {
  /// A name of so many letters is another one with more than this many slips.
  private static func slips(in name: String) -> Int { name.count < 4 ? 1 : name.count < 8 ? 2 : 3 }

  /// The one known name that is near enough; none where two are equally near.
  package static func nearest(to written: String, among known: [String]) -> String? {
    let near = known.map { ($0, distance(written.lowercased(), $0.lowercased())) }
      .filter { $0.1 <= min(slips(in: $0.0), slips(in: written)) }.sorted { $0.1 < $1.1 }
    guard let best = near.first, near.count == 1 || near[1].1 > best.1 else { return nil }
    return best.0
  }

  /// Letters to leave out, put in, change, or swap with the next.
  static func distance(_ one: String, _ other: String) -> Int {
    let (a, b) = (Array(one), Array(other))
    var before: [Int] = []
    var last = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var best = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, before[j - 1] + 1) }
        row.append(best)
      }
      (before, last) = (last, row)
    }
    return last[b.count]
  }
}
