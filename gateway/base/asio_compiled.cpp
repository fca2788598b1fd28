// Asio's function bodies, compiled once for the whole program instead of once a translation unit.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
