// Why an answer of the control plane renewed nothing, in words for the gateway's log.

enum LinkError: Error, CustomStringConvertible {
  case refused(status: Int)
  case older
  case removed
  case behind(String)
  case contradiction(String)
  case tooLong(bytes: Int)

  var isAlarm: Bool {
    switch self {
    case .contradiction, .tooLong: true
    case .refused, .older, .removed, .behind: false
    }
  }

  var description: String {
    switch self {
    case .refused(401), .refused(403):
      "it refused this gateway's credential: see that the file holds the one that was registered"
    case .refused(let status): "it answered with status \(status)"
    case .older: "it is older than this gateway: upgrade wharfd first, then its gateways"
    case .removed: "this gateway was removed: it serves nothing any more"
    case .behind(let reason): "its answer was passed over: \(reason)"
    case .tooLong(let bytes):
      "ALARM, its answer is longer than \(bytes) bytes: it serves on by what it knows, and hears no news"
    case .contradiction(let reason): "ALARM, this gateway takes nothing more from it: \(reason)"
    }
  }
}
