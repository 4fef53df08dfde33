// Events as lines: who, when, what.

import Hosting
import Wire

enum EventText {
  /// The longest value that a summary repeats.
  static let longestValue = 60

  /// `name=xai title=xAI`
  static func summary(_ data: RawJSON) -> String {
    guard let fields = try? data.value.fields() else { return "" }
    return fields.map { "\($0.key)=\(brief(plain($0.value)))" }
      .joined(separator: " ")
  }

  /// Why, in the words of who did it.
  static func reason(_ metadata: RawJSON) -> String? {
    guard let fields = try? metadata.value.fields() else { return nil }
    return fields.first { $0.key == "reason" }.flatMap { try? $0.value.string() }
  }

  /// A digest says no more in whole than by its beginning.
  private static func brief(_ text: String) -> String {
    Digest(text) == nil ? text.shortened(to: longestValue) : text.prefix(12) + "…"
  }

  /// A value as people write it: times to the second, or as a date.
  static func plain(_ value: JSONValue) -> String {
    guard let text = try? value.string() else {
      return Misleading.shown(String(decoding: value.text, as: UTF8.self))
    }
    return Timestamp(canonical: text)?.short ?? Misleading.shown(text)
  }

  static func grid(_ events: [EventItem], wide: Bool) -> Grid {
    let titles = ["POSITION", "TIME", "ACTOR", "STREAM", "EVENT", "WHAT"]
    let rows = events.map { event in
      let why = reason(event.metadata).map { " — \($0)" } ?? ""
      return [
        Cell("\(event.position)"), Cell(event.recordedAt.short),
        Cell(event.actorName ?? event.actor), Cell("\(event.stream)"), Cell(event.type, .strong),
        Cell(summary(event.data) + why),
      ] + (wide ? [Cell(event.commandID?.description), Cell(event.hash?.description)] : [])
    }
    return Grid(titles: titles + (wide ? ["COMMAND", "HASH"] : []), rows: rows)
  }

  static func render(_ events: [EventItem], _ output: OutputOptions, _ terminal: Terminal) -> String
  {
    if output.quiet { return events.map { "\($0.position)" }.joined(separator: "\n") }
    if events.isEmpty { return "no events" }
    let isWide = output.output == .wide
    return grid(events, wide: isWide).lines(terminal, fitting: !isWide).joined(separator: "\n")
  }
}
