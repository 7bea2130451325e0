// The icons of the console and the widgets, from Lucide (ISC). Each one that is used adds about 0.1 kB.
export {
  Activity, Archive, ArchiveRestore, ArrowDown, ArrowLeft, ArrowRight, ArrowUp, Ban, Bell, BellOff, Bot, Building2,
  Calendar, Check, CheckCheck, ChevronDown, ChevronLeft, ChevronRight, ChevronsUpDown, ChevronUp, Circle, CircleAlert,
  CircleCheck, CircleHelp, CircleX, Clock, Copy, CornerDownRight, Download, Ellipsis, ExternalLink, Eye, EyeOff, FileJson,
  Filter, Folder, FolderTree, Gauge, Hash, History, Inbox, Info, Keyboard, Layers, Link, ListFilter, ListTree, Lock,
  LogOut, Mail, MailOpen, Menu, Monitor, Moon, OctagonAlert, PanelLeft, Pause, Play, Plus, RefreshCw, Rocket, RotateCcw,
  Search, SearchX, Send, Settings, Shield, SlidersHorizontal, Stethoscope, Sun, Tag, Tags, Trash2, TriangleAlert, Undo2, User,
  UserMinus, Users, Wifi, WifiOff, Wrench, X, Zap,
} from 'lucide'
