// The migrations, embedded in the programs that run them: numbered, forward only, in order. A new
// file is named here and in Package.swift; the newest must bear being applied twice.

package struct Migration: Sendable {
  package let number: Int
  package let name: String
  package let sql: String
}

package enum Migrations {
  package static let all: [Migration] = [
    Migration(number: 1, name: "event_log", sql: text(PackageResources._001_event_log_sql)),
    Migration(number: 2, name: "views", sql: text(PackageResources._002_views_sql)),
    Migration(number: 3, name: "snapshots", sql: text(PackageResources._003_snapshots_sql)),
    Migration(number: 4, name: "vault", sql: text(PackageResources._004_vault_sql)),
    views,
    Migration(
      number: 6, name: "event_indexes", sql: text(PackageResources._006_event_indexes_sql)),
  ]

  /// The newest form of the views: what a rebuild makes, and the projector expects to find.
  package static let views = Migration(
    number: 5, name: "views_personal", sql: text(PackageResources._005_views_sql))

  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
