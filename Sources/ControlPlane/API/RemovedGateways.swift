// What the credential of a removed gateway is still good for. A process of it may serve until it hears of
// the removal, or its lease and grace are over; until then it is told so, and is believed when it says
// that it left. For nothing else: whoever waits for the process need not wait for its time to end.

import HTTPTypes
import HashTreeCollections
import Hosting
import Hummingbird

extension HostingState {
  /// Whatever stands behind it is for gateways, and says itself what it does for removed ones.
  private static let gatewayPath = "/v1/gateway/"

  /// The processes that may serve still, of removed gateways whose credential a request bears. The log
  /// names each until it is certain that it serves nothing any more.
  func removedProcesses(of request: Request) -> [GatewayProcess] {
    guard request.uri.path.hasPrefix(Self.gatewayPath),
      let header = request.headers[.authorization],
      let digest = Authentication.digest(in: header)
    else { return [] }
    return gatewayProcesses.values.filter { $0.removedAt != nil && $0.credential == digest }
  }
}
