// Why a replica waits, in words.

import Hosting

enum WaitingText {
  static func words(_ reason: WaitingReason) -> String {
    switch reason {
    case .new: "not looked at yet"
    case .noNodes: "there is no node"
    case .noOpenNode: "no node is open for new replicas"
    case .notEnoughDevices: "not enough free devices on one node"
    case .deviceMemoryTooSmall: "free devices have too little memory"
    case .notEnoughCPU: "not enough free CPU on one node"
    case .notEnoughMemory: "not enough free memory on one node"
    case .backingOff: "failed, and waits before the next try"
    case .agreementEnded: "the provider's agreement has ended"
    case .providerSuspended: "the provider is suspended"
    case .paused: "paused"
    case .nodeLost: "its node is lost"
    case .enginesStopping: "engines that stop hold what it needs"
    }
  }

  /// `1 loading since … (grok-2 on node-1)`
  static func words(
    _ phase: String, _ replicas: Int, since: Timestamp?, _ longest: String, _ node: String?
  ) -> String {
    let place = node.map { " on \($0)" } ?? ""
    let since = since.map { " since \($0.short)" } ?? ""
    return replicas == 1
      ? "1 \(phase)\(since) (\(longest)\(place))"
      : "\(replicas) \(phase), the longest\(since) (\(longest)\(place))"
  }
}
