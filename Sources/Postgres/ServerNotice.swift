// What the server says beside its answers, as far as it matters. libpq would print it; and a commit that
// was cut short while it waited for a standby is told in no other way than by a warning.

import CLibPQ

enum ServerNotice {
  /// The transaction has committed here, and the server stopped waiting for the standbys that it was to
  /// reach: somebody cancelled the statement, or ended the connection.
  case commitNotReplicated

  /// libpq's PG_DIAG_SOURCE_FILE, which Swift does not import.
  private static let sourceFileField = Int32(UInt8(ascii: "F"))

  /// By the source file that speaks, since the words are translated, and share their code with all
  /// other warnings.
  init?(_ result: OpaquePointer) {
    guard let file = PQresultErrorField(result, Self.sourceFileField) else { return nil }
    switch String(cString: file) {
    case "syncrep.c": self = .commitNotReplicated
    case _: return nil
    }
  }
}

/// The notices of the statement that runs: libpq hands them over while it reads.
final class ServerNotices {
  private(set) var heard: Set<ServerNotice> = []

  func clear() { if !heard.isEmpty { heard = [] } }

  /// - Parameter connection: closed before this goes.
  func listen(to connection: OpaquePointer) {
    PQsetNoticeReceiver(
      connection,
      { context, result in
        guard let context, let result, let notice = ServerNotice(result) else { return }
        Unmanaged<ServerNotices>.fromOpaque(context).takeUnretainedValue().heard.insert(notice)
      }, Unmanaged.passUnretained(self).toOpaque())
  }
}
