#pragma once
#include <chrono>
#include <cstdint>
#include <expected>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/time_source.h"

namespace sim::crm {

using Fields = std::map<std::string, std::string, std::less<>>;
using Wall = base::TimeSource::Wall;

struct HubSpotProperty {
  std::string name;
  std::string label;
  std::string group;
  std::string type = "string";
  std::string field_type = "text";
  bool is_unique = false;
  bool is_theirs = false;
  bool is_read_only = false;
  std::vector<std::string> options;
};

struct HubSpotObject {
  std::uint64_t id = 0;
  Fields properties;
  Wall created{};
  Wall updated{};
  Wall visible_in_search{};
};

/// A link as its one end sees it.
struct HubSpotLink {
  std::string to_type;
  std::uint64_t to = 0;
  int type_id = 0;
  auto operator<=>(HubSpotLink const&) const = default;
};

struct HubSpotError {
  unsigned status = 400;
  std::string category = "VALIDATION_ERROR";
  std::string message;
};
template <class T>
using HubSpotResult = std::expected<T, HubSpotError>;

/// The records of one HubSpot account with its rules: known properties, unique ones, required ones, directed links, a
/// search index that lags. No wire. One thread.
class HubSpotStore {
 public:
  explicit HubSpotStore(base::TimeSource& time);

  bool has_type(std::string_view type) const { return types_.contains(type); }
  std::map<std::string, HubSpotProperty, std::less<>> const& properties(std::string_view type) const;
  HubSpotResult<HubSpotProperty> add_property(std::string_view type, HubSpotProperty property);
  void remove_property(std::string_view type, std::string_view name);

  struct NewLink {
    std::uint64_t to = 0;
    int type_id = 0;
  };
  /// nullptr when there is none; an empty `id_property` is the record's own id.
  HubSpotObject* find(std::string_view type, std::string_view id, std::string_view id_property = {});
  HubSpotResult<HubSpotObject*> create(std::string_view type, Fields fields, std::vector<NewLink> const& links = {});
  HubSpotResult<HubSpotObject*> update(std::string_view type, HubSpotObject& object, Fields fields);
  /// Not valid when a property has a wrong value: then nothing of a batch is written.
  HubSpotResult<void> check(std::string_view type, Fields const& fields) const;
  struct Upserted {
    HubSpotObject* object;
    bool created;
  };
  HubSpotResult<Upserted> upsert(std::string_view type, std::string_view id_property, std::string_view id,
                                 Fields fields);
  bool remove(std::string_view type, std::string_view id);
  /// Both directions, with the default labels. Links that are there stay as they are.
  HubSpotResult<void> link(std::string_view type, std::uint64_t id, std::string_view to_type, std::uint64_t to);
  std::vector<HubSpotLink> links(std::string_view type, std::uint64_t id, std::string_view to_type) const;

  /// All of one type, oldest first.
  std::map<std::uint64_t, HubSpotObject> const& objects(std::string_view type) const;
  /// A property's value as search and reads see it, computed ones included; empty when unset.
  static std::string value(HubSpotObject const& object, std::string_view name);

  std::chrono::milliseconds index_lag{0};  ///< Of records written from now on.
  /// Whether calls, meetings, notes and leads may have unique properties.
  bool unique_beyond_contacts = true;
  unsigned duplicate_status = 409;  ///< Of a value that a unique property of ours has already: 409 or 400.

 private:
  struct Type {
    std::map<std::string, HubSpotProperty, std::less<>> properties;
    std::map<std::uint64_t, HubSpotObject> objects;
  };
  Type& type_of(std::string_view type);
  Type const& type_of(std::string_view type) const;
  HubSpotResult<void> check_unique(std::string_view type, Fields const& fields, std::uint64_t except) const;
  HubSpotResult<void> check_required(std::string_view type, Fields const& fields,
                                     std::vector<NewLink> const& links) const;
  void touch(HubSpotObject& object);

  base::TimeSource& time_;
  std::map<std::string, Type, std::less<>> types_;
  std::map<std::pair<std::string, std::uint64_t>, std::set<HubSpotLink>> links_;
  std::uint64_t next_id_ = 101;
};

/// Number and direction of HubSpot's own default link; 0 when there is none.
int default_link(std::string_view from, std::string_view to);

}  // namespace sim::crm
